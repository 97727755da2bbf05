"""What a command takes: seconds, CPU of it and its children, and memory at most."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MEGA = 1024 * 1024


@dataclass(frozen=True)
class Spent:
    output: str
    seconds: float
    cpu: float
    peak_mb: float


def carried_out(
    command: Sequence[str], environment: Mapping[str, str], codes: Iterable[int] = (0,)
) -> Spent:
    """Run a command to its end; any other exit code is a failure that shows its output."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=errors)
        _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        told = output.read()
        code = process.returncode
        assert code in codes, f"exit code {code}: {told[-2000:]}{errors.read()[-3000:]}"
    return Spent(told, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def peak_mb(pids: Iterable[int]) -> float:
    """Give the most memory that one of these processes has held so far."""
    return max(map(_peak, pids), default=0.0)


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():  # not Linux: what it holds now
        return float(psutil.Process(pid).memory_info().rss) / MEGA
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines["VmHWM"].split()[0]) / 1024
