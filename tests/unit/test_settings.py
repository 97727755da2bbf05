"""Settings: what is wrong is named, and nothing listens off loopback unguarded."""

from datetime import timedelta

import pytest

from syncsvc.durations import parse_duration
from syncsvc.errors import Rejected
from syncsvc.settings import load


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_nothing_needs_to_be_set():
    settings = load()

    assert settings.database.startswith("sqlite:///")
    assert settings.redis.startswith("unix://")
    assert settings.broker.startswith("redis+socket://")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5s", 1.5), ("250ms", 0.25), ("10m", 600), ("2h", 7200)]
)
def test_durations_are_written_as_people_write_them(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("field", ["PROJECT_ID", "CONFIGURATION_ID"])
def test_an_id_of_test_it_is_a_uuid(monkeypatch, field):
    monkeypatch.setenv(f"SYNCSVC_TESTIT_{field}", "my project")

    with pytest.raises(Rejected) as raised:
        load()

    assert str(raised.value) == (
        f"SYNCSVC_TESTIT_{field}: expected an id of Test IT's, a UUID, found 'my project'"
    )


def test_every_wrong_variable_is_named_with_what_was_found(monkeypatch):
    monkeypatch.setenv("SYNCSVC_API_PORT", "99999")
    monkeypatch.setenv("SYNCSVC_QUIET_PERIOD", "soon")

    with pytest.raises(Rejected) as raised:
        load()

    lines = str(raised.value).splitlines()
    assert "SYNCSVC_API_PORT: Input should be less than or equal to 65535, found '99999'" in lines
    assert any("SYNCSVC_QUIET_PERIOD: expected a duration such as" in line for line in lines)


@pytest.mark.parametrize("text", ["0", "-1s"])
def test_a_duration_is_more_than_nothing(monkeypatch, text):
    monkeypatch.setenv("SYNCSVC_QUIET_PERIOD", text)

    with pytest.raises(Rejected, match="SYNCSVC_QUIET_PERIOD"):
        load()


def test_the_api_leaves_loopback_only_with_a_token(monkeypatch):
    monkeypatch.setenv("SYNCSVC_API_HOST", "0.0.0.0")
    with pytest.raises(Rejected, match="SYNCSVC_API_TOKEN"):
        load()

    monkeypatch.setenv("SYNCSVC_API_TOKEN", "token")
    assert load().api_host == "0.0.0.0"


def test_sync_storage_leaves_loopback_only_when_that_is_said(monkeypatch):
    monkeypatch.setenv("SYNCSVC_SYNC_STORAGE_HOST", "10.0.0.1")
    with pytest.raises(Rejected, match="SYNCSVC_SYNC_STORAGE_OPEN"):
        load()

    monkeypatch.setenv("SYNCSVC_SYNC_STORAGE_OPEN", "true")
    assert load().sync_storage_host == "10.0.0.1"


def test_a_file_is_read_and_the_environment_wins(tmp_path, monkeypatch):
    (tmp_path / "syncsvc.toml").write_text('api_port = 1\nquiet_period = "3s"\n')
    monkeypatch.setenv("SYNCSVC_API_PORT", "2")

    settings = load()

    assert (settings.api_port, settings.quiet_period) == (2, timedelta(seconds=3))


def test_no_secret_shows():
    settings = load(testit_token="s3cret", database_url="postgresql://u:s3cret@h/d")

    assert "s3cret" not in repr(settings) + str(settings)


def test_a_long_data_folder_still_gives_a_socket_that_can_be_opened(tmp_path):
    settings = load(data_dir=tmp_path / ("x" * 120))

    assert len(str(settings.valkey_socket)) < 108
    assert settings.run_dir == load(data_dir=tmp_path / ("x" * 120)).run_dir


def test_a_duration_that_is_too_short_is_told_as_it_was_written(monkeypatch):
    monkeypatch.setenv("SYNCSVC_COORDINATION_LIFE", "5s")

    with pytest.raises(Rejected, match=r"COORDINATION_LIFE: .* 10 minutes, found 5s"):
        load()
