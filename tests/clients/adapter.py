"""The published pytest adapter, in an environment of its own, reached by subprocess only."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, TOKEN
from tests.clients.environments import python_with
from tests.support.stack import Stack

VERSION = "5.2.3"
PACKAGES = [
    f"testit-adapter-pytest=={VERSION}",
    f"testit-python-commons=={VERSION}",
    "pytest==9.2.0",
    "pytest-xdist==3.8.0",
]
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
                **environment(stack, folder, settings),
                "LAST_TEST_SECONDS": str(last_test_seconds),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=150,
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
    return Adapter(python_with(f"testit-adapter-pytest-{VERSION}", PACKAGES))


def environment(stack: Stack, folder: Path, settings: dict[str, str]) -> dict[str, str]:
    """Give the suite nothing of ours but the way to programs."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTEST_DEBUG_TEMPROOT": str(folder),  # or it ends with removing what earlier tests left
        "TMS_URL": stack.sandbox,
        "TMS_PRIVATE_TOKEN": TOKEN,
        "TMS_PROJECT_ID": str(PROJECT_ID),
        "TMS_CONFIGURATION_ID": str(CONFIGURATION_ID),
        "TMS_SYNC_STORAGE_PORT": stack.sync_storage.rpartition(":")[2],
        **{f"TMS_{name.upper()}": value for name, value in settings.items()},
    }


def _bytecode(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__"]
