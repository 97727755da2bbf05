"""Ports for what a test starts: out of a range that this pytest worker has for itself.

They lie below those that the system gives to whoever asks for any port. So nobody takes one between
its choice and its use, nor while whoever listens there is away.
"""

import os
from itertools import count

from syncsvc.embedded.ports import PortUse, check
from syncsvc.errors import Rejected

LOWEST = 20_000
EACH = 1000  # ports of a worker
WORKERS = 10
ALONE = "gw9"  # without pytest-xdist
NUMBERS = count(os.getpid() * 37)  # two sessions on one machine begin in different places


def own_port() -> int:
    """Give a port that nobody uses, on IPv4 and IPv6 alike, and that nobody gets by chance."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", ALONE).removeprefix("gw")) % WORKERS
    while True:
        port = LOWEST + worker * EACH + next(NUMBERS) % EACH
        if _is_free(port):
            return port


def _is_free(port: int) -> bool:
    try:
        check([PortUse(port, "a test", "none")])
    except Rejected:
        return False
    return True
