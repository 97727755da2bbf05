"""Credentials are fetched in time, once for all; of what a program prints nothing is told."""

import json
import sys
from datetime import timedelta

import pytest

from syncsvc.adapters.kubernetes.access import Certificate, Presented
from syncsvc.adapters.kubernetes.credentials import Fetched, Renewed, TokenFile
from syncsvc.adapters.kubernetes.in_cluster import in_cluster, is_in_cluster
from syncsvc.adapters.kubernetes.plugins import VERSIONS, Plugin
from syncsvc.errors import Rejected, Unavailable
from tests.support.builders import NOON, SECOND, Clock

SECRET = "s3cret." * 10


def plugin(script: str, **more: object) -> Plugin:
    return Plugin("kubeconfig: users['u'].user.exec", sys.executable, ("-c", script), **more)


def printing(status: object, version: str = VERSIONS[0], kind: str = "ExecCredential") -> Plugin:
    told = json.dumps({"apiVersion": version, "kind": kind, "status": status})
    return plugin(f"print({told!r})")


async def test_a_programs_token_is_kept_until_shortly_before_it_expires():
    fetched = await printing({"token": "t", "expirationTimestamp": "2026-01-01T12:10:00Z"}).fetch()

    assert fetched == Fetched(Presented("t"), NOON + timedelta(minutes=10) - 10 * SECOND)


async def test_a_program_may_print_a_certificate():
    status = {"clientCertificateData": "CHAIN", "clientKeyData": "KEY"}

    fetched = await printing(status).fetch()

    assert fetched == Fetched(Presented(None, Certificate(b"CHAIN", b"KEY")))


@pytest.mark.parametrize(
    "program",
    [
        printing({}),
        printing({"token": ""}),
        printing({"clientKeyData": SECRET}),
        printing({"token": f"{SECRET} {SECRET}"}),
        printing({"token": SECRET}, version=VERSIONS[1]),
        printing({"token": SECRET}, kind="Pod"),
        printing({"token": SECRET, "expirationTimestamp": SECRET}),
        printing(None),
        plugin(f"print({SECRET!r})"),
        plugin(""),
    ],
)
async def test_what_a_program_prints_is_not_shown_when_it_is_wrong(program):
    with pytest.raises(Rejected, match=r"users\['u'\]\.user\.exec: expected") as refused:
        await program.fetch()

    assert "s3cret" not in str(refused.value)


async def test_a_program_that_fails_is_quoted_with_its_last_words_but_no_secret():
    script = f"import sys; sys.stderr.write('a\\nlog in first: {SECRET}\\n\\n'); sys.exit(3)"

    with pytest.raises(Unavailable, match=r"ended with 3: log in first: \*\*\*$"):
        await plugin(script).fetch()


async def test_a_program_that_fails_silently_is_told_by_its_code():
    with pytest.raises(Unavailable, match=r"ended with 1$"):
        await plugin("raise SystemExit(1)").fetch()


async def test_a_program_that_does_not_end_is_ended():
    slow = plugin("import time; time.sleep(60)", limit=timedelta(seconds=0.01))

    with pytest.raises(Unavailable, match=r"did not end within 0\.01 s"):
        await slow.fetch()


async def test_a_program_that_is_not_there_is_told_with_how_to_get_it():
    missing = Plugin("kubeconfig", "/nowhere/aws", hint="install the aws cli\n")

    with pytest.raises(Rejected, match=r"found /nowhere/aws: No such file.*; install the aws cli$"):
        await missing.fetch()


async def test_a_programs_variables_and_arguments_are_not_shown():
    assert SECRET not in repr(plugin(SECRET, environ={"KEY": SECRET}))


class Source:
    def __init__(self, life: timedelta | None = None) -> None:
        self.clock = Clock()
        self.life = life
        self.fetched = 0

    async def __call__(self) -> Fetched:
        self.fetched += 1
        until = None if self.life is None else self.clock() + self.life
        return Fetched(Presented(str(self.fetched)), until)


async def test_credentials_are_fetched_anew_when_they_are_due():
    source = Source(life=60 * SECOND)
    renewed = Renewed(source, source.clock)

    tokens = [(await renewed.present()).token]
    source.clock.pass_(59 * SECOND)
    tokens.append((await renewed.present()).token)
    source.clock.pass_(SECOND)
    tokens.append((await renewed.present()).token)

    assert tokens == ["1", "1", "2"]


async def test_credentials_are_fetched_anew_when_these_are_refused_and_not_older_ones():
    renewed = Renewed(Source())
    first = await renewed.present()

    second = await renewed.present(refused=first)

    assert second.token == "2"
    assert await renewed.present(refused=first) is second


async def test_after_a_failure_nobody_tries_again_for_a_while():
    clock, tried = Clock(), []

    async def fail() -> Fetched:
        tried.append(clock())
        raise Unavailable("log in first")

    renewed = Renewed(fail, clock)
    for pause in (0, 4, 1):
        clock.pass_(pause * SECOND)
        with pytest.raises(Unavailable, match="log in first"):
            await renewed.present()

    assert tried == [NOON, NOON + 5 * SECOND]


async def test_a_tokens_file_is_read_every_minute(tmp_path):
    path = tmp_path / "token"
    path.write_text("one\n")

    fetched = await TokenFile(path, clock=Clock()).fetch()

    assert fetched == Fetched(Presented("one"), NOON + 60 * SECOND)


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff"])
async def test_a_tokens_file_without_a_token_is_refused(tmp_path, content):
    path = tmp_path / "token"
    path.write_bytes(content)

    with pytest.raises(Rejected, match=f"token file {path}: expected"):
        await TokenFile(path).fetch()


POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def account(tmp_path):
    (tmp_path / "token").write_text("of-the-account")
    (tmp_path / "ca.crt").write_text("CA")
    (tmp_path / "namespace").write_text("k6-runs\n")
    return tmp_path


async def test_a_pod_uses_its_service_account(account):
    access = in_cluster(POD, account)

    assert is_in_cluster(POD, account)
    assert (access.name, access.server) == ("in-cluster", "https://10.0.0.1:443")
    assert (access.ca, access.namespace) == ("CA", "k6-runs")
    assert await access.credentials.present() == Presented("of-the-account")


def test_the_cluster_may_have_an_address_of_version_6(account):
    assert (
        in_cluster({"KUBERNETES_SERVICE_HOST": "fd00::1"}, account).server
        == "https://[fd00::1]:443"
    )


def test_an_account_without_a_namespace_is_in_the_usual_one(account):
    (account / "namespace").unlink()

    assert in_cluster(POD, account).namespace == "default"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "KUBERNETES_SERVICE_HOST: expected"),
        ({**POD, "KUBERNETES_SERVICE_PORT": "https"}, "KUBERNETES_SERVICE_PORT: expected a port"),
    ],
)
def test_outside_of_a_pod_there_is_no_service_account(account, environ, said):
    with pytest.raises(Rejected, match=said):
        in_cluster(environ, account)


@pytest.mark.parametrize("name", ["token", "ca.crt"])
def test_a_service_account_needs_all_its_files(account, name):
    (account / name).unlink()

    with pytest.raises(Rejected, match=name):
        in_cluster(POD, account)
