"""How we reach Test IT: which certificates are trusted, and through which proxy."""

from datetime import timedelta
from pathlib import Path

import httpx

from syncsvc.adapters.calling import Server, Way
from syncsvc.adapters.calling import new_http as new_client

TEST_IT = Server("Test IT", "SYNCSVC_TESTIT")


def new_http(
    timeout: timedelta,
    ca_file: Path | None = None,
    *,
    verify: bool = True,
    proxy: str | None = None,
    at_once: int = 4,
) -> httpx.AsyncClient:
    """Give a client for Test IT. Raises Rejected, naming the setting that cannot be used."""
    return new_client(TEST_IT, Way(timeout, ca_file, verify, proxy, at_once))
