"""How we reach Test IT: which certificates are trusted, and through which proxy."""

import ssl
from datetime import timedelta
from pathlib import Path
from urllib.request import getproxies

import httpx

from syncsvc.errors import Rejected
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

CONNECT_SECONDS = 5
THIS_HOST = ("localhost", "127.0.0.1", "[::1]")
EVERYTHING = "*"
LEAST_CONNECTIONS = 16  # runs may belong to several servers, each with its own gate


def new_http(
    timeout: timedelta,
    ca_file: Path | None = None,
    *,
    verify: bool = True,
    proxy: str | None = None,
    at_once: int = 4,
) -> httpx.AsyncClient:
    """Give a client that never reaches this host through a proxy.

    The authorities in `ca_file` are trusted besides the system's. Without `proxy` the
    environment's counts, and NO_PROXY holds for either.
    Raises Rejected, naming the setting, for a file or a proxy that cannot be used.
    """
    if not verify:
        log.warning("certificates of Test IT are not verified", setting="SYNCSVC_TESTIT_VERIFY_TLS")
    direct = _named_in_no_proxy() if proxy else []
    try:
        return httpx.AsyncClient(
            verify=_trust(ca_file, verify=verify),
            proxy=None if EVERYTHING in direct else _with_host(proxy),
            timeout=httpx.Timeout(timeout.total_seconds(), connect=CONNECT_SECONDS),
            limits=httpx.Limits(
                max_connections=max(LEAST_CONNECTIONS, 2 * at_once), keepalive_expiry=30
            ),
            mounts=dict.fromkeys(f"all://{host}" for host in (*THIS_HOST, *direct)),
        )
    except (ValueError, ImportError, httpx.InvalidURL):  # whose text may tell a password
        origin = "SYNCSVC_TESTIT_PROXY" if proxy else "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"
        raise Rejected(
            f"{origin}: expected http:// or https:// and a host, found something else"
        ) from None


def _with_host(proxy: str | None) -> str | None:
    if proxy is not None and not httpx.URL(proxy).host:
        raise ValueError(proxy)
    return proxy


def _trust(ca_file: Path | None, *, verify: bool) -> ssl.SSLContext:
    context = httpx.create_ssl_context(verify=verify)
    if verify:
        context.load_default_certs()
    if ca_file is not None:
        _add(context, ca_file)
    return context


def _add(context: ssl.SSLContext, ca_file: Path) -> None:
    expected = "SYNCSVC_TESTIT_CA_FILE: expected a PEM file of certificates"
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError as error:
        raise Rejected(f"{expected}, found none in {ca_file}") from error
    except OSError as error:
        raise Rejected(f"{expected}, cannot read {ca_file}: {error.strerror}") from error


def _named_in_no_proxy() -> list[str]:
    """List the hosts of NO_PROXY as httpx writes them; it reads them itself for its own proxies."""
    names = [name.strip() for name in getproxies().get("no", "").split(",")]
    return [_pattern(name) for name in names if name]


def _pattern(name: str) -> str:
    if name == EVERYTHING or name.replace(".", "").isdigit() or name.startswith("["):
        return name
    return f"[{name}]" if ":" in name else f"*{name}"
