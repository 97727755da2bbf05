"""What every adapter that calls a foreign server needs: the way to it, and when to come again.

The texts of errors name the settings of the server that is meant.
"""

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from syncsvc.errors import Rejected
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

CONNECT_SECONDS = 5
THIS_HOST = ("localhost", "127.0.0.1", "[::1]")
EVERYTHING = "*"
LEAST_CONNECTIONS = 16  # there may be several servers, each with its own gate
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_URL = 2000
WAITED_FOR: dict[type[httpx.TimeoutException], tuple[str, str]] = {  # and the name of its limit
    httpx.ReadTimeout: ("no answer", "read"),
    httpx.WriteTimeout: ("not taken", "write"),
    httpx.ConnectTimeout: ("no connection", "connect"),
    httpx.PoolTimeout: ("no free connection", "pool"),
}


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of foreign server, and what the names of its settings begin with."""

    name: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Way:
    """How a server is reached; without `proxy` the environment's counts."""

    timeout: timedelta
    ca_file: Path | None = None
    verify: bool = True
    proxy: str | None = None
    at_once: int = 4


def new_http(server: Server, way: Way) -> httpx.AsyncClient:
    """Give a client that never reaches this host through a proxy, and follows no redirect.

    The authorities in `ca_file` are trusted besides the system's. NO_PROXY holds for any proxy.
    Raises Rejected, naming the setting, for a file or a proxy that cannot be used.
    """
    if not way.verify:
        event = f"certificates of {server.name} are not verified"
        log.warning(event, setting=f"{server.prefix}_VERIFY_TLS")
    direct = _named_in_no_proxy() if way.proxy else []
    try:
        return httpx.AsyncClient(
            verify=_trust(server, way),
            proxy=None if EVERYTHING in direct else _with_host(way.proxy),
            timeout=httpx.Timeout(way.timeout.total_seconds(), connect=CONNECT_SECONDS),
            limits=httpx.Limits(
                max_connections=max(LEAST_CONNECTIONS, 2 * way.at_once), keepalive_expiry=30
            ),
            mounts=dict.fromkeys(f"all://{host}" for host in (*THIS_HOST, *direct)),
        )
    except (ValueError, ImportError, httpx.InvalidURL):  # whose text may tell a password
        origin = f"{server.prefix}_PROXY" if way.proxy else "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"
        raise Rejected(
            f"{origin}: expected http:// or https:// and a host, found something else"
        ) from None


def checked_url(field_name: str, url: str) -> str:
    """Give a base URL without its last slash.

    Raises Rejected when it is no http or https address, or carries credentials.
    """
    expected = f"{field_name}: expected http:// or https:// and a host"
    if len(url) > LONGEST_URL:
        raise Rejected(f"{expected}, found {len(url)} characters")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(c.isspace() for c in url):
        shown = "something with credentials" if "@" in url else repr(url[:80])
        raise Rejected(f"{expected}, found {shown}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Rejected(f"{expected}, without credentials, query or fragment")
    return url.rstrip("/")


def retry_after(answer: httpx.Response, now: datetime) -> timedelta | None:
    """Read Retry-After, in seconds or as a date, within an hour; None if it says nothing."""
    said = answer.headers.get("Retry-After", "")
    try:
        if said.isdigit():
            pause = timedelta(seconds=int(said))
        else:
            pause = parsedate_to_datetime(said) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(pause, timedelta(0)), LONGEST_PAUSE)


def what_failed(error: httpx.RequestError) -> str:
    """Say what did not come, and how long it was waited for."""
    for kind, (what, limit) in WAITED_FOR.items():
        if isinstance(error, kind):
            seconds = error.request.extensions.get("timeout", {}).get(limit)
            return what if seconds is None else f"{what} within {seconds:g} s"
    return str(error) or type(error).__name__


def distrust(error: BaseException | None) -> str | None:
    """Find what the certificate's judge said in the causes of an error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None


def _with_host(proxy: str | None) -> str | None:
    if proxy is not None and not httpx.URL(proxy).host:
        raise ValueError(proxy)
    return proxy


def _trust(server: Server, way: Way) -> ssl.SSLContext:
    if way.verify and way.ca_file is None:
        return _everybodys_trust()
    context = httpx.create_ssl_context(verify=way.verify)
    if way.verify:
        context.load_default_certs()
    if way.ca_file is not None:
        _add(context, way.ca_file, f"{server.prefix}_CA_FILE")
    return context


@cache
def _everybodys_trust() -> ssl.SSLContext:
    """Give httpx's authorities and the system's, read once: that takes a tenth of a second."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


def _add(context: ssl.SSLContext, ca_file: Path, setting: str) -> None:
    expected = f"{setting}: expected a PEM file of certificates"
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
