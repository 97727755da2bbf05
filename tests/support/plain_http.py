"""Clients for servers of this host: no TLS, so no authorities, which take a while to read."""

import ssl
from typing import Any

import httpx

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def plain_http(base_url: str = "", **more: Any) -> httpx.AsyncClient:
    """Give a client that goes to a server straight, whatever proxy the environment names."""
    return httpx.AsyncClient(
        base_url=base_url, **{"timeout": 30, **more}, trust_env=False, verify=NO_AUTHORITIES
    )
