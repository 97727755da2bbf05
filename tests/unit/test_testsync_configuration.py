"""TestSync's configuration.json: a user's file works as it is, and says what it cannot do."""

import json

import pytest

from syncsvc.errors import Rejected
from syncsvc.settings import load
from syncsvc.testsync_config import overrides, remarks

FULL = {
    "http_port": 19104,
    "ws_port": 19105,
    "logging": {"level": "DEBUG", "dir": "/var/log"},
    "sync_client": {"username": "user", "password": "pa:ss"},
    "storage": {"type": "SQLite", "sqlite_path": "./testsync.db"},
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def written(tmp_path):
    """Write a file and give its path."""

    def write(content):
        path = tmp_path / "configuration.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_every_key_becomes_a_setting(written):
    settings = load(testsync_config=written(FULL))

    assert (settings.testsync_http_port, settings.testsync_ws_port) == (19104, 19105)
    assert (settings.testsync_username, settings.log_level) == ("user", "debug")
    assert settings.testsync_password.get_secret_value() == "pa:ss"


def test_with_credentials_it_listens_everywhere_as_testsync_does(written):
    assert load(testsync_config=written(FULL)).testsync_host == "0.0.0.0"


def test_without_credentials_it_stays_on_loopback(written):
    settings = load(testsync_config=written({"sync_client": {"username": "", "password": ""}}))

    assert (settings.testsync_host, settings.testsync_guarded) == ("", False)


def test_one_credential_is_enough_to_listen_everywhere(written):
    found = overrides(written({"sync_client": {"username": "user"}}))

    assert found == {"testsync_username": "user", "testsync_host": "0.0.0.0"}


@pytest.mark.parametrize("content", ["{}", "null", '{"http_port": null, "logging": null}'])
def test_what_is_absent_or_null_leaves_the_defaults(written, content):
    assert overrides(written(content)) == {}


def test_keys_are_found_whatever_their_case_and_the_last_one_wins(written):
    content = '{"HTTP_PORT": 1, "http_Port": 2, "Logging": {"LEVEL": "warn"}, "mystery": [1]}'

    assert overrides(written(content)) == {"testsync_http_port": 2, "log_level": "warning"}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("TRACE", "debug"), ("Info", "info"), ("warning", "warning"), ("panic", "error")],
)
def test_every_level_of_theirs_has_one_of_ours(written, theirs, ours):
    assert overrides(written({"logging": {"level": theirs}})) == {"log_level": ours}


def test_the_environment_and_flags_win_over_the_file(written, monkeypatch):
    monkeypatch.setenv("SYNCSVC_TESTSYNC_CONFIG", str(written(FULL)))
    monkeypatch.setenv("SYNCSVC_TESTSYNC_HTTP_PORT", "1")

    settings = load(testsync_ws_port=2)

    assert (settings.testsync_http_port, settings.testsync_ws_port) == (1, 2)
    assert settings.testsync_username == "user"


def test_our_own_file_wins_over_theirs_and_may_name_it(written, tmp_path):
    path = written(FULL)
    ours = f'testsync_config = "{path}"\ntestsync_host = "127.0.0.1"\n'
    (tmp_path / "syncsvc.toml").write_text(ours)

    settings = load()

    assert (settings.testsync_host, settings.testsync_http_port) == ("127.0.0.1", 19104)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected JSON, found something else"),
        ("[" * 100_000, "expected JSON, found something else"),
        ("[]", r"the whole: expected an object, found \[\]"),
        ({"http_port": "9104"}, 'http_port: expected a port from 0 to 65535, found "9104"'),
        ({"ws_port": 70000}, "ws_port: expected a port from 0 to 65535, found 70000"),
        ({"ws_port": -1}, "ws_port: expected a port from 0 to 65535, found -1"),
        ({"ws_port": 1.0}, "ws_port: expected a port from 0 to 65535, found 1.0"),
        ({"ws_port": True}, "ws_port: expected a port from 0 to 65535, found true"),
        ({"logging": {"level": "loud"}}, 'logging.level: expected one of trace, .*, found "loud"'),
        ({"logging": "INFO"}, 'logging: expected an object, found "INFO"'),
        ({"sync_client": {"username": 1}}, "sync_client.username: expected a string, found 1"),
    ],
)
def test_what_is_wrong_is_named_with_file_key_found_and_expected(written, content, message):
    with pytest.raises(Rejected, match=f"configuration.json: {message}"):
        load(testsync_config=written(content))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Rejected, match=r"absent\.json: .*No such file"):
        load(testsync_config=tmp_path / "absent.json")


def test_a_wrong_password_is_not_shown(written):
    with pytest.raises(Rejected, match=r"sync_client\.password") as raised:
        overrides(written({"sync_client": {"password": 12345}}))

    assert "12345" not in str(raised.value)


def test_what_is_done_otherwise_is_said(written):
    said = remarks(written({**FULL, "http_port": 0}))

    assert [sentence.split(":")[0] for sentence in said] == ["storage", "logging.dir", "http_port"]


def test_a_file_without_ports_or_credentials_is_told_what_that_means(written):
    said = remarks(written("{}"))

    assert [sentence.split(":")[0] for sentence in said] == ["sync_client", "http_port", "ws_port"]
