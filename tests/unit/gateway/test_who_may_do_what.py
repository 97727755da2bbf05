"""Which scope a request needs, and which token lets it in."""

import pytest

from syncsvc.gateway.scopes import Credential, Credentials, Identity, needed, shown_by
from syncsvc.settings import ApiScope

READ, WRITE, MANAGE, ADMIN = ApiScope
JOB = "/api/dashboard/load-testing/sync-job"
NOW = "/api/dashboard/load-testing/sync-status-steps"


@pytest.mark.parametrize(
    ("method", "path", "scopes"),
    [
        ("GET", "/", {READ}),
        ("GET", "/api/v1/runs", {READ}),
        ("HEAD", "/metrics", {READ}),
        ("POST", "/api/v1/runs", {WRITE}),
        ("DELETE", "/api/v1/results/1", {WRITE}),
        ("OPTIONS", "*", {WRITE}),
        ("GET", "/api/v1/loadtests", {READ}),
        ("POST", "/api/v1/loadtests", {WRITE, MANAGE}),
        ("POST", "/api/v1/loadtests/discover", {WRITE, MANAGE}),
        ("POST", "/api/v1/loadtestsX", {WRITE}),
        ("GET", JOB, {MANAGE}),
        ("POST", JOB, {MANAGE}),
        ("GET", "/api/dashboard/load-testing", {MANAGE}),
        ("GET", "/api/dashboard/load-testing/anything", {MANAGE}),
        ("GET", NOW, {READ}),
        ("POST", NOW, {MANAGE}),
    ],
)
def test_a_request_needs_one_of_these(method, path, scopes):
    assert set(needed(method, path)) == scopes


@pytest.mark.parametrize(
    ("has", "may"),
    [
        ({READ}, {READ}),
        ({WRITE}, {READ, WRITE}),
        ({MANAGE}, {READ, MANAGE}),
        ({ADMIN}, {READ, WRITE, MANAGE, ADMIN}),
        ({READ, WRITE}, {READ, WRITE}),
        ({WRITE, MANAGE}, {READ, WRITE, MANAGE}),
    ],
)
def test_a_scope_implies_others(has, may):
    identity = Identity("ci", frozenset(has))

    assert {scope for scope in ApiScope if identity.may([scope])} == may


def test_a_secret_says_who_asks():
    tokens = [Credential.of(name, f"{name}'s", [READ]) for name in ("one", "other")]

    found = [shown_by(tokens, secret) for secret in (b"one's", b"other's", b"nobody's", b"")]

    assert [each and each.name for each in found] == ["one", "other", None, None]


def test_a_secret_may_be_in_any_script():
    token = Credential.of("ci", "пароль", [READ])

    assert shown_by([token], "пароль".encode()) == token.identity


def test_the_sync_key_is_good_for_a_cycle_at_once_and_nothing_else():
    key = Credential.of("key", "secret", [MANAGE])
    credentials = Credentials(sync_key=key)

    assert credentials.good_for("POST", NOW) == (key,)
    assert credentials.good_for("GET", NOW) == ()
    assert credentials.good_for("POST", JOB) == ()


def test_no_secret_is_shown_with_a_credential():
    assert "s3cret" not in repr(Credentials((Credential.of("ci", "s3cret", [READ]),)))
