"""Frameworks whose published adapters run as programs, each with a suite of its own."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.adapter import environment
from tests.support.stack import Stack

SUITES = Path(__file__).parent / "suites"
VERSION = "5.2.3"
NODE_PACKAGES = ["testit-js-commons@5.0.6", "testcafe-reporter-testit@5.0.6"]


@dataclass(frozen=True)
class Framework:
    """A test framework with an adapter of one version, and how it runs its suite."""

    name: str
    suite: str  # a folder of suites/
    packages: tuple[str, ...]
    arguments: tuple[str, ...]  # of its python

    def __str__(self) -> str:
        return self.name


def adapter_for(framework: str, its_version: str, version: str = VERSION) -> tuple[str, ...]:
    """Give the packages of an adapter and of what it adapts."""
    return (
        f"testit-adapter-{framework}=={version}",
        f"testit-python-commons=={version}",
        its_version,
    )


BEHAVE = Framework(
    f"testit-adapter-behave-{VERSION}",
    "behave",
    adapter_for("behave", "behave==1.3.3"),
    ("-m", "behave", "-f", "testit_adapter_behave.formatter:AdapterFormatter"),
)
ROBOT = Framework(
    f"testit-adapter-robotframework-{VERSION}",
    "robot",
    adapter_for("robotframework", "robotframework==7.5"),
    ("-m", "robot", "-v", "testit", "shop.robot"),
)
NOSE = Framework(
    f"testit-adapter-nose-{VERSION}",
    "nose",
    adapter_for("nose", "nose2==0.16.0"),
    ("-m", "nose2", "--plugin", "testit_adapter_nose.plugin", "--testit"),
)


def older_pytest(version: str) -> Framework:
    """Give an older pytest adapter."""
    return Framework(
        f"testit-adapter-pytest-{version}",
        "pytest",
        adapter_for("pytest", "pytest==9.2.0", version),
        ("-m", "pytest", "--testit", "-p", "no:cacheprovider"),
    )


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    exit_code: int
    output: str


@dataclass(frozen=True)
class Program:
    """A command that runs a suite in a folder of its own, with the TMS_ settings of a stack."""

    stack: Stack
    suite: str
    command: Sequence[str | Path]

    def run(self, folder: Path, node_path: Path | None = None, **settings: str) -> Ended:
        """Wait for its end; settings are TMS_ variables."""
        shutil.copytree(
            SUITES / self.suite,
            folder,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        done = subprocess.run(
            self.command,
            cwd=folder,
            env={**environment(self.stack, folder, settings), "NODE_PATH": str(node_path or "")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=150,
            check=False,
        )
        return Ended(done.returncode, done.stdout)
