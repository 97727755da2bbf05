"""Environments for published adapters: made once from the package index, then kept."""

import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from fcntl import LOCK_EX, flock
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENTS = REPOSITORY / ".venvs"
MINUTES = 3 * 60  # seconds an installation may take


class CannotInstall(Exception):
    """The package index does not give what an environment needs, or a program is missing."""


def python_with(name: str, packages: Sequence[str]) -> Path:
    """Give the python of an environment that has these packages.

    Raises CannotInstall.
    """
    environment = ENVIRONMENTS / name
    _once(environment, [sys.version, *packages], lambda: _install_python(environment, packages))
    return environment / "bin" / "python"


def node_modules_with(name: str, packages: Sequence[str]) -> Path:
    """Give a folder of node modules that has these packages.

    Raises CannotInstall.
    """
    npm = _program("npm")
    _program("node")
    environment = ENVIRONMENTS / name
    _once(environment, packages, lambda: _install_node(environment, npm, packages))
    return environment / "node_modules"


def _once(environment: Path, wanted: Sequence[str], make: Callable[[], None]) -> None:
    ENVIRONMENTS.mkdir(exist_ok=True)
    complete = environment / "complete"
    lock_file = environment.with_name(f"{environment.name}.lock")
    with lock_file.open("w") as lock:
        flock(lock, LOCK_EX)  # test sessions side by side make one environment
        expected = "\n".join(wanted)
        if not complete.is_file() or complete.read_text() != expected:
            make()
            complete.write_text(expected)


def _install_python(environment: Path, packages: Sequence[str]) -> None:
    venv.create(environment, clear=True, with_pip=True)
    _call([environment / "bin" / "python", "-m", "pip", "install", "--quiet", *packages])


def _install_node(environment: Path, npm: str, packages: Sequence[str]) -> None:
    shutil.rmtree(environment, ignore_errors=True)
    environment.mkdir()
    options = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts"]
    _call([npm, "install", "--prefix", environment, *options, *packages])


def _call(command: Sequence[str | Path]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MINUTES, check=False)
    except subprocess.TimeoutExpired as error:
        raise CannotInstall(f"no installation within {MINUTES} s") from error
    if done.returncode:
        raise CannotInstall(done.stderr.strip()[-500:])


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise CannotInstall(f"there is no {name}")
    return found
