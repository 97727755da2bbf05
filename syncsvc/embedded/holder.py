"""Who has a port, as far as the kernel tells us; Linux only, elsewhere nobody knows."""

import os
import pwd
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
_LISTENS = "0A"
_NOBODYS = "0"  # the inode of a connection that its process has closed


def holder_of(port: int) -> str | None:
    """Describe the process that has a port: never its arguments, they may hold secrets."""
    for _, inode, uid in sorted(_sockets(port)):
        pid = _owner_of(f"socket:[{inode}]")
        if pid is None:
            return f"a process of user {_user_name(uid)}"
        return f"pid {pid} ({_program(pid)})"
    return None


def _sockets(port: int) -> Iterator[tuple[bool, str, int]]:
    """Give whether it is a connection rather than a listener, the inode and the user of each."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                here = int(fields[1].rpartition(":")[2], 16)
                if here == port and fields[9] != _NOBODYS:
                    yield fields[3] != _LISTENS, fields[9], int(fields[7])


def _owner_of(socket: str) -> int | None:
    for folder in PROC.glob("[0-9]*/fd"):
        with suppress(OSError), os.scandir(folder) as files:  # else ended, or not ours to see
            if any(_points_to(file.path, socket) for file in files):
                return int(folder.parent.name)
    return None


def _points_to(link: str, target: str) -> bool:
    try:
        return os.readlink(link) == target  # noqa: PTH115 - a Path for each open file is slow
    except OSError:
        return False


def _program(pid: int) -> str:
    """Name a program: `syncsvc gateway` for `python -m syncsvc gateway --port 1`."""
    try:
        argv = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "unknown"
    if "-m" in argv[:4]:
        module = argv[argv.index("-m") + 1 :]
        return " ".join(word for word in module[:2] if word and not word.startswith("-"))
    return Path(argv[0].partition(" ")[0]).name or "unknown"


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
