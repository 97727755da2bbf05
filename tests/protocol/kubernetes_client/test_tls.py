"""TLS over a real socket: whom we trust, as whom, and what we show of ourselves."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from syncsvc.adapters.kubernetes.access import Access, Certificate, Presented
from syncsvc.adapters.kubernetes.clusters import KubernetesClusters
from syncsvc.adapters.kubernetes.credentials import Fixed
from syncsvc.errors import Unavailable

PEM = serialization.Encoding.PEM
INNER = "kube.inner"


@dataclass(frozen=True)
class Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> Certificate:
        form, open_ = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return Certificate(
            self.certificate.public_bytes(PEM), self.key.private_bytes(PEM, form, open_)
        )


def issued(name: str, by: Pair | None = None) -> Pair:
    """Issue a certificate; without an issuer it is an authority."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(by.key if by else key, hashes.SHA256())
    )
    return Pair(certificate, key)


@dataclass
class Served:
    url: str
    authority: Pair

    async def version(self, **access: object) -> str:
        credentials = access.pop("credentials", Fixed(Presented()))
        clusters = KubernetesClusters([Access("tls", self.url, credentials, **access)])
        try:
            return await clusters.of(None).version()
        finally:
            await clusters.close()

    @property
    def ca(self) -> str:
        return self.authority.pem().chain.decode()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    shown = writer.get_extra_info("peercert")
    body = b'{"gitVersion":"%s"}' % (b"to a friend" if shown else b"to anybody")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    await writer.drain()
    writer.close()


@pytest.fixture
async def served(tmp_path) -> AsyncIterator[Served]:
    authority = issued("authority")
    server, (own, trusted) = issued(INNER, authority).pem(), (tmp_path / "s.pem", tmp_path / "ca")
    own.write_bytes(server.chain + server.key)
    trusted.write_bytes(authority.pem().chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    context.load_verify_locations(trusted)
    context.verify_mode = ssl.CERT_OPTIONAL
    async with await asyncio.start_server(_answer, "127.0.0.1", 0, ssl=context) as listening:
        yield Served(f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}", authority)


async def test_a_clusters_own_authority_and_inner_name_are_enough(served):
    assert await served.version(ca=served.ca, server_name=INNER) == "to anybody"


async def test_a_client_certificate_is_shown(served):
    mine = Fixed(Presented(certificate=issued("me", served.authority).pem()))

    said = await served.version(ca=served.ca, server_name=INNER, credentials=mine)

    assert said == "to a friend"


async def test_a_certificate_of_another_name_is_not_trusted(served):
    with pytest.raises(Unavailable, match=r"not trusted .*check certificate-authority"):
        await served.version(ca=served.ca)


async def test_a_certificate_of_another_authority_is_not_trusted(served):
    with pytest.raises(Unavailable, match="not trusted"):
        await served.version(server_name=INNER)


async def test_unless_verifying_is_turned_off(served):
    assert await served.version(verify=False) == "to anybody"
