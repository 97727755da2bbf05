"""What the machine says: conditions of a run, CPU and memory of processes."""

import os
import platform
import resource
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import psutil

PACKAGES = ("picows", "aiofastnet", "uvloop", "uvicorn", "httptools", "redis", "hiredis", "msgspec")


def conditions(server: str) -> dict[str, str]:
    """Say what the figures were taken on; `server` is what keeps the state."""
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "processor": _processor(),
        "load before": " ".join(f"{part:.2f}" for part in os.getloadavg()),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "state in": server,
        **{name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


class Others:
    """What other processes do to the machine from now on; `pids` are ours beside our children."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = list(pids)
        self._started = perf_counter()
        self._before = self._theirs()

    def cores(self) -> float:
        """Give the cores that they kept busy; rates and times of a busy machine say little."""
        return max(0.0, (self._theirs() - self._before) / (perf_counter() - self._started))

    def _theirs(self) -> float:
        times = psutil.cpu_times()
        busy = sum(times) - times.idle - getattr(times, "iowait", 0.0)
        return float(busy - sum(os.times()[:4]) - cpu_seconds(self._pids))


def raise_file_limit() -> None:
    """Allow as many open files as this user may have, here and in children."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def cpu_seconds(pids: Iterable[int]) -> float:
    """Give the CPU that processes have used so far, all their threads together."""
    return sum(_of_process(pid) for pid in pids)


def _of_process(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.exists():  # not Linux
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    nanoseconds = 0
    for task in os.listdir(tasks):  # noqa: PTH208 - names, and often
        with open(f"/proc/{pid}/task/{task}/schedstat", "rb") as file:  # noqa: PTH123 - often
            nanoseconds += int(file.read().split()[0])
    return nanoseconds / 1e9


def resident_kb(pids: Iterable[int]) -> float:
    """Give the memory that processes hold."""
    return sum(float(psutil.Process(pid).memory_info().rss) for pid in pids) / 1024
