"""The executable itself: a script with the absolute path of this environment's Python."""

import importlib
import os
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from syncsvc.errors import Rejected
from syncsvc.launcher.names import CACHES, Platform

TOKEN = "SYNCSVC_LAUNCHER_TOKEN"  # noqa: S105 - the name of the variable
_NEEDED_FIRST = (
    "syncsvc.launcher.launch",
    "syncsvc.embedded.up",
    "syncsvc.stores.sql.migrate",
    "syncsvc.wiring.gateway",
)
_MARK = "# syncsvc launcher:"
_SCRIPT = """\
#!/bin/sh
{mark} starts Sync Storage on this machine; made by `syncsvc launcher install`.
python={python}
if [ ! -x "$python" ]; then
  echo "$0: expected a Python with syncsvc at $python, found none:" \\
    "run 'syncsvc launcher install' again" >&2
  exit 127
fi
# The token leaves the command line first, which every user of this machine can read.
{token}=
left=$#
while [ "$left" -gt 0 ]; do
  word=$1
  shift
  left=$((left - 1))
  case $word in
    --privateToken=*)
      {token}=${{word#*=}}
      ;;
    --privateToken)
      {token}=${{1-}}
      if [ "$left" -gt 0 ]; then
        shift
        left=$((left - 1))
      fi
      ;;
    *)
      set -- "$@" "$word"
      ;;
  esac
done
export {token}
exec "$python" -I ${{PYTHONDONTWRITEBYTECODE:+-B}} -m syncsvc launcher run "$@"
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation found and did, by file name."""

    folder: Path
    written: list[str]
    kept: list[str]  # they were there already, as they should be


def install(
    folder: Path, versions: Iterable[str], platforms: Iterable[Platform], *, force: bool = False
) -> Installed:
    """Write the executable under each name; doing it twice changes nothing.

    Raises Rejected, with nothing written, if a file of somebody else has such a name, unless
    `force` says to replace it.
    """
    caches = folder / CACHES
    script = text()
    platforms = [each for each in platforms if each.runs_scripts]
    names = [each.file_name(version) for version in versions for each in platforms]
    if not force:
        _demand_ours(caches / name for name in names)
    try:
        caches.mkdir(parents=True, exist_ok=True)
        written = [name for name in names if _write(caches / name, script)]
    except OSError as error:
        raise Rejected(f"{error.filename}: expected a place to write to ({error})") from error
    return Installed(caches, written, [name for name in names if name not in set(written)])


def warm_up() -> None:
    """Load what a start loads, so that no first start waits for Python to compile it.

    Adapters for Python wait 5 s, and an environment that uv made holds no bytecode.
    """
    for module in _NEEDED_FIRST:
        importlib.import_module(module)


def text() -> str:
    """Give the script for the environment that this process runs in."""
    python = Path(sys.executable).absolute()
    return _SCRIPT.format(mark=_MARK, python=shlex.quote(str(python)), token=TOKEN)


def _demand_ours(files: Iterable[Path]) -> None:
    foreign = [str(file) for file in files if file.exists() and not _is_ours(file)]
    if foreign:
        raise Rejected(
            f"expected no file or one of ours, found {', '.join(foreign)}: "
            "remove what is there, or replace it with --force"
        )


def _is_ours(file: Path) -> bool:
    with file.open("rb") as opened:
        return _MARK.encode() in opened.read(200)


def _write(file: Path, script: str) -> bool:
    """Replace a file in one step, for an adapter may be about to run it; tell if that was due."""
    if file.is_file() and file.read_bytes() == script.encode() and os.access(file, os.X_OK):
        return False
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(script)
    fresh.chmod(0o755)
    fresh.replace(file)
    return True
