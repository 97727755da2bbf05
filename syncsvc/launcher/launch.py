"""What the executable does when an adapter starts it."""

import http.client
import os
from pathlib import Path

from syncsvc.embedded import folder
from syncsvc.launcher.asked import Asked, credentials, evade, own_environ
from syncsvc.launcher.daemon import Place, start
from syncsvc.launcher.entrance import Entrance
from syncsvc.settings import LOOPBACK, PREFIX, Settings, load

_HEALTH_WITHIN_S = 1.0


def launch(asked: Asked) -> None:
    """Make sure that a Sync Storage runs or is about to; return without waiting for it.

    Raises Rejected if the settings or the data folder forbid it.
    """
    if asked.port and is_healthy(asked.port):
        return
    settings = _settled()
    port = asked.port or settings.sync_storage_port
    if is_healthy(port):
        return
    evaded = evade(settings)
    start(
        Place(settings.data_dir),
        Entrance(settings.sync_storage_host, port),
        {
            **own_environ(os.environ),
            **credentials(settings, asked),
            **evaded.environ,
            PREFIX + "DATA_DIR": str(settings.data_dir),
        },
        [f"asked for by run {asked.run or '-'}", *_unknown(asked), *evaded.remarks],
    )


def is_healthy(port: int) -> bool:
    """Tell whether a Sync Storage, whoever made it, answers on a port of this machine."""
    return any(_answers(host, port) for host in LOOPBACK)


def find_data_dir() -> Path:
    """Give the data folder of whoever works here; `.env` of the tested project has no say in it.

    Raises Rejected if the settings are wrong.
    """
    os.environ.update(own_environ(os.environ))
    os.chdir("/")
    return load().data_dir.absolute()


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=_HEALTH_WITHIN_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _settled() -> Settings:
    """Give the settings that `up` will find in the data folder, which is made and entered."""
    data_dir = find_data_dir()
    folder.prepare(load(data_dir=data_dir))
    os.chdir(data_dir)
    return load(data_dir=data_dir)


def _unknown(asked: Asked) -> list[str]:
    found = ", ".join(asked.unknown)
    return [f"flags that this release does not know are left out: {found}"] if found else []
