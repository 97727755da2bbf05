"""Tokens of the API as the settings have them: what is wrong is named, and no secret shown."""

import json

import pytest

from syncsvc.embedded.tree import as_environment
from syncsvc.errors import Rejected
from syncsvc.settings import ApiScope, load
from syncsvc.wiring.admitting import workers_tokens


def listed(*tokens: tuple[str, str]) -> str:
    each = [{"name": name, "token": token, "scopes": ["read"]} for name, token in tokens]
    return json.dumps(each)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("tokens", "complaint"),
    [
        ('{"name": "s3cret"}', "SYNCSVC_API_TOKENS: "),
        ("s3cret", "SYNCSVC_API_TOKENS: expected JSON, found something else"),
        ('["s3cret"]', "SYNCSVC_API_TOKENS_0: "),
        (
            '[{"name": "a", "token": "s3cret", "scopes": ["root"]}]',
            "SYNCSVC_API_TOKENS_0_SCOPES_0: Input should be 'read', 'write', 'k6:manage' or",
        ),
        ('[{"name": "a", "token": "s3cret", "scopes": []}]', "SYNCSVC_API_TOKENS_0_SCOPES: "),
        ('[{"name": "a", "token": "s3cret"}]', "SYNCSVC_API_TOKENS_0_SCOPES: Field required"),
        ('[{"name": "a", "token": "s3cret", "x": 1}]', "SYNCSVC_API_TOKENS_0_SCOPES"),
        ('[{"name": "", "token": "s3cret", "scopes": ["read"]}]', "SYNCSVC_API_TOKENS_0_NAME"),
        (
            '[{"name": "a", "token": " ", "scopes": ["read"]}]',
            "SYNCSVC_API_TOKENS_0_TOKEN: expected a token, found none",
        ),
        (
            listed(("a", "s3cret1"), ("a", "s3cret2")),
            "SYNCSVC_API_TOKENS: expected each name once, found 'a' twice",
        ),
        (
            listed(("a", "s3cret"), ("b", "s3cret")),
            "SYNCSVC_API_TOKENS: expected a token of its own for each, found one for a and b",
        ),
    ],
)
def test_what_is_wrong_is_named_and_no_secret_is_shown(monkeypatch, tokens, complaint):
    monkeypatch.setenv("SYNCSVC_API_TOKENS", tokens)

    with pytest.raises(Rejected) as raised:
        load()

    assert str(raised.value).startswith(complaint)
    assert "s3cret" not in str(raised.value)


def test_a_token_is_not_that_of_the_one(monkeypatch):
    one = listed(("a", "s3cret"))
    monkeypatch.setenv("SYNCSVC_API_TOKENS", one)
    monkeypatch.setenv("SYNCSVC_API_TOKEN", "s3cret")

    with pytest.raises(Rejected) as raised:
        load()

    assert str(raised.value) == (
        "SYNCSVC_API_TOKENS: expected 'a' to have another token than SYNCSVC_API_TOKEN, "
        "found the same"
    )


def test_the_api_leaves_loopback_with_tokens_too(monkeypatch):
    monkeypatch.setenv("SYNCSVC_API_HOST", "0.0.0.0")
    with pytest.raises(Rejected, match="SYNCSVC_API_TOKENS"):
        load()

    one = '[{"name": "a", "token": "s3cret", "scopes": ["read", "k6:manage"]}]'
    monkeypatch.setenv("SYNCSVC_API_TOKENS", one)

    assert load().api_tokens[0].scopes == (ApiScope.READ, ApiScope.MANAGE)


def test_no_secret_shows(monkeypatch):
    one = listed(("a", "s3cret"))
    monkeypatch.setenv("SYNCSVC_API_TOKENS", one)

    assert "s3cret" not in repr(load())


def test_a_child_is_told_of_the_very_same_tokens(monkeypatch):
    monkeypatch.setenv("SYNCSVC_API_TOKENS", listed(("a", "s3cret"), ("b", "другой")))
    settings = load()

    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)

    assert load() == settings
    assert load().api_tokens[1].token.get_secret_value() == "другой"


def test_an_empty_token_is_none_and_lets_nobody_in(tmp_path):
    (tmp_path / "syncsvc.toml").write_text('api_token = ""\n')

    with pytest.raises(Rejected, match="SYNCSVC_API_TOKEN: expected a token, found none"):
        load()


def test_a_runs_workers_may_show_the_tokens_that_write(monkeypatch):
    tokens = [
        {"name": name, "token": f"{name}-token", "scopes": [name]}
        for name in ("read", "write", "k6:manage", "admin")
    ]
    named = [{**each, "name": str(number)} for number, each in enumerate(tokens)]
    monkeypatch.setenv("SYNCSVC_API_TOKENS", json.dumps(named))

    assert workers_tokens(load()) == ["write-token", "admin-token"]
    assert workers_tokens(load(api_token="one")) == ["one", "write-token", "admin-token"]


def test_where_nobody_may_write_no_worker_comes_in_either(monkeypatch):
    assert workers_tokens(load()) is None

    monkeypatch.setenv("SYNCSVC_API_TOKENS", listed(("a", "s3cret")))

    assert workers_tokens(load()) == []
