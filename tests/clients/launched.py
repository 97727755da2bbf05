"""A project that has our executable where Test IT adapters look for the vendor's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncsvc.launcher.executable import install
from syncsvc.launcher.names import VERSIONS, this_platform

STATE = Path(".local") / "state" / "syncsvc"
SETTINGS = """\
quiet_period = "2s"
api_port = 0
testsync_http_port = 0
testsync_ws_port = 0
"""


@contextmanager
def launchable(project: Path) -> Iterator[Path]:
    """Put the executable into a folder which is HOME as well, so the data folder is below.

    Whatever was launched is stopped at the end.
    """
    data_dir = project / STATE
    data_dir.mkdir(parents=True, mode=0o700)
    (data_dir / "syncsvc.toml").write_text(SETTINGS)
    install(project, VERSIONS, [this_platform()])
    try:
        yield project
    finally:
        stop = [sys.executable, "-m", "syncsvc", "launcher", "stop"]
        environ = {**os.environ, "SYNCSVC_DATA_DIR": str(data_dir)}
        subprocess.run(stop, env=environ, check=True, timeout=60, stdout=subprocess.DEVNULL)


def log_of(project: Path) -> str:
    return (project / STATE / "launcher.log").read_text()
