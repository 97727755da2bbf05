"""A connection to a cluster's API: whom it trusts, which certificate it wears, which proxy."""

import ssl
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from syncsvc.adapters.calling import CONNECT_SECONDS, THIS_HOST
from syncsvc.adapters.kubernetes.access import Access, Certificate
from syncsvc.adapters.kubernetes.quick import QuickReads, goes_through_proxy
from syncsvc.errors import Rejected
from syncsvc.settings import is_loopback
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

READ_SECONDS = 20  # without a byte
WRITE_SECONDS = 10
KEPT_SECONDS = 30
KEPT = 32  # connections
LARGEST_ANSWER = 64 * 1024 * 1024  # bytes; a page of 500 pods has 3,000,000


@dataclass
class Wire:
    """A client for HTTP, and the trust that its connections are made with.

    `quick` is for the many small reads, where no proxy is on the way.
    """

    http: httpx.AsyncClient
    trust: ssl.SSLContext | None = None
    quick: QuickReads | None = None
    _worn: Certificate | None = field(default=None, init=False, repr=False)

    def wear(self, certificate: Certificate | None, cluster: str) -> None:
        """Show a certificate on connections from now on. Raises Rejected if it is not usable."""
        if certificate is None or certificate == self._worn or self.trust is None:
            return
        _load(self.trust, certificate, cluster)
        self._worn = certificate

    async def close(self) -> None:
        await self.http.aclose()
        if self.quick is not None:
            await self.quick.close()


def connect(access: Access) -> Wire:
    """Give a wire to a cluster. Its own authorities count alone; else the system's and httpx's.

    Raises Rejected for authorities or a proxy that cannot be used.
    """
    if not access.verify:
        log.warning("certificates of a cluster are not verified", cluster=access.name)
    _warn_without_tls(access)
    trust = _trust(access)
    try:
        return Wire(_client(access, trust), trust, _quick(access, trust))
    except (ValueError, ImportError, httpx.InvalidURL):  # whose text may tell a password
        origin = "proxy-url" if access.proxy else "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"
        raise Rejected(
            f"cluster {access.name!r}: {origin}: "
            "expected http:// or https:// and a host, found something else"
        ) from None


def _warn_without_tls(access: Access) -> None:
    parts = urlsplit(access.server)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        log.warning(
            "credentials are sent to a cluster without TLS",
            cluster=access.name,
            host=parts.hostname,
        )


def _client(access: Access, trust: ssl.SSLContext) -> httpx.AsyncClient:
    direct = () if access.proxy else THIS_HOST
    if access.proxy and not httpx.URL(access.proxy).host:
        raise ValueError
    return httpx.AsyncClient(
        verify=trust,
        proxy=access.proxy,
        timeout=httpx.Timeout(
            READ_SECONDS, connect=CONNECT_SECONDS, write=WRITE_SECONDS, pool=READ_SECONDS
        ),
        limits=httpx.Limits(  # calls are limited where they are made; followed logs are many
            max_connections=None, max_keepalive_connections=KEPT, keepalive_expiry=KEPT_SECONDS
        ),
        mounts=dict.fromkeys(f"all://{host}" for host in direct),
    )


def _quick(access: Access, trust: ssl.SSLContext) -> QuickReads | None:
    if goes_through_proxy(access.server, access.proxy):
        return None
    return QuickReads(access.server, trust, access.server_name, LARGEST_ANSWER)


def _trust(access: Access) -> ssl.SSLContext:
    try:
        context = _trusting(access)
    except (ssl.SSLError, ValueError):
        raise Rejected(
            f"cluster {access.name!r}: certificate-authority: "
            "expected certificates as PEM, found none that can be read"
        ) from None
    if not access.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _trusting(access: Access) -> ssl.SSLContext:
    if access.ca is None:
        context = httpx.create_ssl_context()
        context.load_default_certs()
        return context
    context = ssl.create_default_context(cadata=access.ca)
    # Authorities that clusters make for themselves often lack what RFC 5280 wants of them.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _load(trust: ssl.SSLContext, certificate: Certificate, cluster: str) -> None:
    """Load a certificate; ssl takes it from a file only, which is gone at once."""
    with tempfile.TemporaryDirectory(prefix="syncsvc-") as folder:
        path = Path(folder) / "pair.pem"  # nobody else may enter the folder
        path.write_bytes(certificate.chain + b"\n" + certificate.key)
        try:
            trust.load_cert_chain(path, password="")  # else it would ask the terminal
            return
        except (ssl.SSLError, ValueError) as error:
            why = getattr(error, "reason", None) or "they cannot be read"
    with suppress(ValueError):
        why = str(why).replace("_", " ").lower()
    raise Rejected(
        f"cluster {cluster!r}: client-certificate and client-key: "
        f"expected a certificate and its unencrypted key as PEM, found otherwise ({why})"
    )
