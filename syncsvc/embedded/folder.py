"""The data folder of one running `syncsvc up`: made private, and locked against a second one.

The lock belongs to an open file, so it ends with whoever holds that file, by kill -9 too,
and a file left behind blocks nobody. The embedded server inherits it: while a server of a
killed `up` still writes, no other one may open the same store.
"""

import asyncio
import fcntl
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from syncsvc.errors import Rejected
from syncsvc.settings import Settings

LONGEST_SOCKET_PATH = 103  # macOS; Linux has 107
LEFTOVERS_END_WITHIN = timedelta(seconds=10)
_LOOK_EVERY_S = 0.05


def prepare(settings: Settings) -> None:
    """Make the data folder and the folder of sockets, the latter for this user alone.

    Raises Rejected if they cannot be made or somebody else could interfere.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.run_dir.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise Rejected(
            f"{settings.data_dir} cannot be made ({error.strerror}): "
            "choose another folder with --data-dir / SYNCSVC_DATA_DIR"
        ) from error
    _demand_private(settings.run_dir)
    _demand_short(settings.valkey_socket)


@asynccontextmanager
async def locked(data_dir: Path) -> AsyncIterator[int]:
    """Hold the data folder; gives the open file that a child may inherit to hold it too.

    Raises Rejected if another process holds it.
    """
    lock = os.open(data_dir / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _take(lock, data_dir)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield lock
    finally:
        os.close(lock)


async def _take(lock: int, data_dir: Path) -> None:
    deadline = asyncio.get_running_loop().time() + LEFTOVERS_END_WITHIN.total_seconds()
    while not _locks(lock):
        holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
        if _is_alive(holder) or asyncio.get_running_loop().time() > deadline:
            raise Rejected(
                f"{data_dir} is in use by `syncsvc up` (pid {holder or 'unknown'}): "
                "stop it, or choose another folder with --data-dir / SYNCSVC_DATA_DIR"
            )
        await asyncio.sleep(_LOOK_EVERY_S)


def _locks(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    if not pid.isdecimal():
        return False  # its holder is about to write it, or was killed before it could
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _demand_private(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise Rejected(
            f"{folder} must be a folder of user {os.geteuid()}, but is something else or belongs "
            f"to user {found.st_uid}: remove it, or choose another with SYNCSVC_DATA_DIR"
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)


def _demand_short(socket: Path) -> None:
    length = len(os.fsencode(socket))
    if length > LONGEST_SOCKET_PATH:
        raise Rejected(
            f"the socket path {socket} has {length} bytes, and {LONGEST_SOCKET_PATH} are allowed: "
            "choose a shorter SYNCSVC_DATA_DIR, or set TMPDIR to a shorter folder"
        )
