"""Clusters are found by name and connected when they are needed."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from syncsvc.adapters.kubernetes.access import Access, Certificate, Presented
from syncsvc.adapters.kubernetes.clusters import KubernetesClusters
from syncsvc.adapters.kubernetes.connecting import connect
from syncsvc.adapters.kubernetes.credentials import Fixed
from syncsvc.errors import Rejected, Unknown

ANYBODY = Fixed(Presented())


def access(name: str = "prod", **more: object) -> Access:
    return Access(name, "https://kube.invalid", ANYBODY, **more)


@pytest.fixture(scope="module")
def pair() -> Certificate:
    """A certificate that vouches for itself, without what strict judges want of an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube.invalid")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    return Certificate(certificate.public_bytes(pem), key.private_bytes(pem, pkcs8, plain))


async def test_the_first_cluster_is_meant_where_none_is_named():
    clusters = KubernetesClusters([access("prod"), access("stage")])

    assert clusters.names == ["prod", "stage"]
    assert clusters.of(None) is clusters.of("prod")
    assert clusters.of("stage") is not clusters.of("prod")
    await clusters.close()


@pytest.mark.parametrize("name", ["dev", ""])
def test_a_cluster_that_is_not_configured_is_told_with_those_that_are(name):
    with pytest.raises(Unknown, match=f"expected one of 'prod', found '{name}'"):
        KubernetesClusters([access()]).of(name)


def test_without_any_cluster_it_is_told_how_to_name_one():
    with pytest.raises(Unknown, match="no cluster is configured"):
        KubernetesClusters([]).of(None)


def test_two_clusters_of_one_name_are_refused():
    with pytest.raises(Rejected, match="found 'prod' twice"):
        KubernetesClusters([access(), access()])


async def test_a_closed_cluster_is_connected_anew_when_it_is_needed():
    clusters = KubernetesClusters([access()])
    first = clusters.of("prod")

    await clusters.close()

    assert first.calls.wire.http.is_closed
    assert not clusters.of("prod").calls.wire.http.is_closed
    await clusters.close()


def test_a_clusters_own_authorities_count_alone(pair):
    trust = connect(access(ca=pair.chain.decode())).trust

    assert trust.verify_mode is ssl.CERT_REQUIRED
    assert trust.check_hostname
    assert trust.cert_store_stats()["x509"] == 1
    assert not trust.verify_flags & ssl.VERIFY_X509_STRICT


def test_without_authorities_those_of_the_system_count():
    assert connect(access()).trust.cert_store_stats()["x509"] > 1


def test_verifying_is_turned_off_only_when_it_is_said():
    trust = connect(access(verify=False)).trust

    assert trust.verify_mode is ssl.CERT_NONE
    assert not trust.check_hostname


@pytest.mark.parametrize(
    ("server", "warned"),
    [
        ("http://kube.invalid", True),
        ("http://127.0.0.1:80", False),
        ("https://kube.invalid", False),
    ],
)
def test_credentials_without_tls_are_worth_a_warning(server, warned, capsys, caplog):
    connect(Access("prod", server, ANYBODY))

    said = capsys.readouterr()
    assert ("without TLS" in said.out + said.err + caplog.text) is warned


def test_authorities_that_cannot_be_read_are_refused():
    with pytest.raises(Rejected, match="cluster 'prod': certificate-authority: expected"):
        connect(access(ca="-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"))


@pytest.mark.parametrize("proxy", ["socks5://x", "ftp://x", "http://me:s3cret@", "x"])
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(proxy):
    with pytest.raises(Rejected, match="proxy-url: expected http") as refused:
        connect(access(proxy=proxy))

    assert "s3cret" not in str(refused.value)


def test_a_certificate_is_worn_and_leaves_no_file(pair, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    wire = connect(access())

    wire.wear(pair, "prod")
    wire.wear(pair, "prod")

    assert list(tmp_path.iterdir()) == []


def test_a_certificate_that_is_none_is_refused(pair):
    with pytest.raises(Rejected, match="client-certificate and client-key: expected") as refused:
        connect(access()).wear(Certificate(pair.chain, b"no key"), "prod")

    assert "no key" not in str(refused.value)


def test_an_encrypted_key_asks_nobody(pair):
    key = serialization.load_pem_private_key(pair.key, None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )

    with pytest.raises(Rejected, match="unencrypted key"):
        connect(access()).wear(Certificate(pair.chain, locked), "prod")
