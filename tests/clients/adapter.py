"""The published pytest adapter, in an environment of its own, reached by subprocess only."""

import os
import shutil
import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, TOKEN
from tests.support.stack import Stack

VERSION = "5.2.3"
PACKAGES = [
    f"testit-adapter-pytest=={VERSION}",
    f"testit-python-commons=={VERSION}",
    "pytest==9.2.0",
    "pytest-xdist==3.8.0",
]
REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = REPOSITORY / ".venvs" / f"testit-adapter-pytest-{VERSION}"
SUITE = Path(__file__).parent / "suite"

NAMELESS = sha256(b"test_shop.pytest_a_test_without_an_identity_of_its_own").hexdigest()
ROWS = {  # the final status of every result, by external id
    "shop-open": ["Succeeded"],
    "shop-search": ["Succeeded"],
    "shop-price-tea": ["Succeeded"],
    "shop-price-coffee": ["Succeeded"],
    "shop-basket": ["Succeeded", "Succeeded", "Succeeded"],
    "shop-invoice": ["Succeeded"],
    "shop-refund": ["Failed"],
    "shop-discount": ["Incomplete"],
    "shop-delivery": ["Failed"],
    NAMELESS: ["Succeeded"],
    "shop-close": ["Succeeded"],
}


class CannotInstall(Exception):
    """The package index does not give what the environment needs."""


@dataclass(frozen=True)
class Adapter:
    """The adapter, ready to run suites."""

    python: Path

    def run(
        self,
        stack: Stack,
        folder: Path,
        *arguments: str,
        last_test_seconds: float = 0.2,
        **settings: str,
    ) -> "Session":
        """Run the suite in an empty folder and wait for its end; settings are TMS_ variables."""
        shutil.copytree(SUITE, folder, dirs_exist_ok=True, ignore=_bytecode)
        log = ["-o", "log_file=adapter.log", "-o", "log_file_mode=a", "-o", "log_file_level=INFO"]
        started = time.time()
        done = subprocess.run(
            [self.python, "-m", "pytest", "--testit", "-p", "no:cacheprovider", *log, *arguments],
            cwd=folder,
            env={
                **_environment(stack, folder, settings),
                "LAST_TEST_SECONDS": str(last_test_seconds),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
            check=False,
        )
        ended = time.time()
        return Session(
            exit_code=done.returncode,
            output=done.stdout + (folder / "adapter.log").read_text(),
            seconds=ended - started,
            teardown_seconds=ended - (folder / "last-test-ended").stat().st_mtime,
        )


@dataclass(frozen=True)
class Session:
    """What a run of the suite left behind."""

    exit_code: int
    output: str  # of the process, then the adapter's log
    seconds: float
    teardown_seconds: float  # from the end of the last test to the end of the process


def installed() -> Adapter:
    """Give the adapter; its environment is made once and kept.

    Raises CannotInstall.
    """
    ENVIRONMENT.parent.mkdir(exist_ok=True)
    complete = ENVIRONMENT / "complete"
    with ENVIRONMENT.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)  # test sessions side by side make one environment
        wanted = "\n".join([sys.version, *PACKAGES])
        if not complete.is_file() or complete.read_text() != wanted:
            _install()
            complete.write_text(wanted)
    return Adapter(ENVIRONMENT / "bin" / "python")


def _install() -> None:
    venv.create(ENVIRONMENT, clear=True, with_pip=True)
    pip = [ENVIRONMENT / "bin" / "python", "-m", "pip", "install", "--quiet", *PACKAGES]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotInstall(done.stderr.strip()[-500:])


def _environment(stack: Stack, folder: Path, settings: dict[str, str]) -> dict[str, str]:
    """Give the suite nothing of ours but the way to programs."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMS_URL": stack.sandbox,
        "TMS_PRIVATE_TOKEN": TOKEN,
        "TMS_PROJECT_ID": str(PROJECT_ID),
        "TMS_CONFIGURATION_ID": str(CONFIGURATION_ID),
        "TMS_SYNC_STORAGE_PORT": stack.sync_storage.rpartition(":")[2],
        **{f"TMS_{name.upper()}": value for name, value in settings.items()},
    }


def _bytecode(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__"]
