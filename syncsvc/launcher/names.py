"""The file names under which Test IT adapters look for the vendor's executable."""

import platform
import re
from dataclasses import dataclass
from pathlib import Path

from syncsvc.errors import Rejected

CACHES = Path("build") / ".caches"  # below the folder that the tests are started in
VERSIONS = (  # each is pinned by some release of an adapter
    *("v0.1.18", "v0.1.21", "v0.1.27", "v0.1.28"),
    *("v0.2.0", "v0.2.3", "v0.2.6", "v0.2.7", "v0.2.8", "v0.2.9", "v0.2.10", "v0.2.11", "v0.2.12"),
    *("v0.3.0", "v0.3.1", "v0.3.2", "v0.3.3", "v0.3.4", "v0.3.5"),
    *("v0.3.5-tms-5.7", "v0.3.6-tms-5.7", "v0.3.7-tms-5.7", "v0.3.8-rc-tms-5.7"),
    *("v0.3.8", "v0.3.9", "v0.3.10"),
)
_VERSION = re.compile(r"v\d+(\.\d+)*(-[\w.-]+)?", re.ASCII)
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system and an architecture, in the words of the file names."""

    system: str
    machine: str

    @property
    def runs_scripts(self) -> bool:
        return self.system != "windows"

    def file_name(self, version: str) -> str:
        suffix = "" if self.runs_scripts else ".exe"
        return f"syncstorage-{version}-{self.system}_{self.machine}{suffix}"


ALL = tuple(
    Platform(system, machine)
    for system in ("linux", "darwin", "windows")
    for machine in ("amd64", "arm64")
)


def this_platform() -> Platform:
    """Raises Rejected where no adapter looks for anything."""
    found = Platform(platform.system().lower(), _MACHINES.get(platform.machine().lower(), ""))
    if found not in ALL:
        raise Rejected(
            "platform: expected Linux or macOS on amd64 or arm64, "
            f"found {platform.system()} on {platform.machine()}"
        )
    return found


def check_version(version: str) -> str:
    """Raises Rejected for what cannot be the version in a file name."""
    if not _VERSION.fullmatch(version):
        raise Rejected(f"--version: expected one such as {VERSIONS[-1]}, found {version!r}")
    return version
