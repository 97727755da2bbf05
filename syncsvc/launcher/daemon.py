"""One `syncsvc up` in the background for each data folder, known by the lock that it holds.

Whoever takes the lock starts it and leaves the lock to it, so the lock ends with it, by
kill -9 too, and of any number of launchers at one moment one starts something.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from syncsvc.errors import Unavailable
from syncsvc.launcher.entrance import Entrance, opened

LARGEST_LOG = 20_000_000  # bytes, when a daemon starts; the one before it is kept as well
STOPS_WITHIN = timedelta(seconds=12)  # `up` promises ten
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Place:
    """Where the daemon of a data folder keeps what is its own."""

    data_dir: Path

    @property
    def lock(self) -> Path:
        return self.data_dir / "launcher.lock"

    @property
    def log(self) -> Path:
        return self.data_dir / "launcher.log"


def start(place: Place, at: Entrance, environ: Mapping[str, str], remarks: Sequence[str]) -> None:
    """Start `syncsvc up`, unless it was started before; it outlives this process.

    Its folder is the data folder, and everything it says goes to the log there. Its port is
    open, and answers, when this is left.
    """
    with _opened(place.lock) as lock:
        if not _free(lock, fcntl.LOCK_EX):
            _remark(place, _about_another(lock, at.port))
            return
        _turn_over(place.log)
        _remark(place, [*remarks, f"starts `syncsvc up` with Sync Storage on port {at.port}"])
        with opened(at, place.data_dir) as doors:
            own = doors.environ if doors else {}
            kept = (lock, *doors.numbers) if doors else (lock,)
            pid = _spawn(place, at.port, {**environ, **own}, kept)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{pid} {at.port}\n".encode(), 0)


def stop(place: Place) -> int | None:
    """Stop the daemon and give its pid, or None if there was none.

    Raises Unavailable if it does not stop in time.
    """
    if not place.lock.exists():
        return None
    with _opened(place.lock) as lock:
        deadline = time.monotonic() + STOPS_WITHIN.total_seconds()
        stopped: int | None = None
        while not _free(lock, fcntl.LOCK_SH):
            if stopped is None and (holder := _holder(lock)):
                stopped = int(holder[0])
                with suppress(ProcessLookupError):
                    os.kill(stopped, signal.SIGTERM)
            if time.monotonic() > deadline:
                raise Unavailable(_still_runs(place, stopped))
            time.sleep(_LOOK_EVERY_S)
        return stopped


def _spawn(place: Place, port: int, environ: Mapping[str, str], kept: tuple[int, ...]) -> int:
    with place.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "syncsvc", "up", "--sync-storage-port", str(port)],
            cwd=place.data_dir,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=kept,
        ).pid


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _free(lock: int, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: int) -> list[str]:
    """Give the pid and the port of whoever has the lock, nothing if they are not written yet."""
    return os.pread(lock, 40, 0).decode(errors="replace").split()


def _about_another(lock: int, port: int) -> list[str]:
    holder = _holder(lock)
    if not holder or holder[1] == str(port):
        return []  # it is the one that was wanted
    remark = (
        f"port {port} was asked for, but the daemon of this folder (pid {holder[0]}) has port "
        f"{holder[1]}: ask for that one, or choose another folder with SYNCSVC_DATA_DIR"
    )
    return [remark]


def _still_runs(place: Place, pid: int | None) -> str:
    return (
        f"the daemon of {place.data_dir} (pid {pid or 'unknown'}) has not stopped within "
        f"{STOPS_WITHIN.total_seconds():g} s: see {place.log}, and try again"
    )


def _turn_over(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))


def _remark(place: Place, remarks: Sequence[str]) -> None:
    descriptor = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a") as log:
        log.writelines(f"launcher  | {line}\n" for each in remarks for line in each.splitlines())
