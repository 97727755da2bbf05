"""Settings of load tests: ours, and the three that the dashboard has always had."""

import pytest

from syncsvc.errors import Rejected
from syncsvc.settings import load

DASHBOARD = ("K6_SYNC_INTERVAL_SECONDS", "K6_AUTO_SYNC_ENABLED", "K6_SYNC_API_KEY")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in DASHBOARD:
        monkeypatch.delenv(name, raising=False)


def test_without_settings_the_defaults_of_the_dashboard_hold():
    settings = load()

    assert settings.k6_sync_interval_seconds is None
    assert settings.k6_auto_sync_enabled
    assert settings.k6_sync_api_key is None


@pytest.mark.parametrize("prefix", ["", "SYNCSVC_"])
def test_the_interval_is_read_under_both_names(monkeypatch, prefix):
    monkeypatch.setenv(f"{prefix}K6_SYNC_INTERVAL_SECONDS", "15")

    assert load().k6_sync_interval_seconds == 15


@pytest.mark.parametrize("prefix", ["", "SYNCSVC_"])
def test_the_job_is_switched_off_under_both_names(monkeypatch, prefix):
    monkeypatch.setenv(f"{prefix}K6_AUTO_SYNC_ENABLED", "false")

    assert not load().k6_auto_sync_enabled


@pytest.mark.parametrize("prefix", ["", "SYNCSVC_"])
def test_the_key_is_read_under_both_names_and_never_shown(monkeypatch, prefix):
    monkeypatch.setenv(f"{prefix}K6_SYNC_API_KEY", "very-s3cret")

    settings = load()

    assert settings.k6_sync_api_key.get_secret_value() == "very-s3cret"
    assert "very-s3cret" not in repr(settings)


def test_our_own_name_counts_before_the_dashboards(monkeypatch):
    monkeypatch.setenv("K6_SYNC_INTERVAL_SECONDS", "15")
    monkeypatch.setenv("SYNCSVC_K6_SYNC_INTERVAL_SECONDS", "30")

    assert load().k6_sync_interval_seconds == 30


def test_the_dashboards_name_counts_before_any_file(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("SYNCSVC_K6_SYNC_INTERVAL_SECONDS=30\n")
    (tmp_path / "syncsvc.toml").write_text("k6_sync_interval_seconds = 40\n")
    monkeypatch.setenv("K6_SYNC_INTERVAL_SECONDS", "15")

    assert load().k6_sync_interval_seconds == 15


@pytest.mark.parametrize("prefix", ["", "SYNCSVC_"])
def test_an_empty_variable_is_none(monkeypatch, prefix):
    monkeypatch.setenv(f"{prefix}K6_SYNC_INTERVAL_SECONDS", "")
    monkeypatch.setenv(f"{prefix}K6_SYNC_API_KEY", "")

    settings = load()

    assert settings.k6_sync_interval_seconds is None
    assert settings.k6_sync_api_key is None


@pytest.mark.parametrize("found", ["4", "301", "0", "-20", "15.9", "15abc", "true", "1e1", "20s"])
@pytest.mark.parametrize("prefix", ["", "SYNCSVC_"])
def test_an_interval_that_cannot_be_is_refused_by_its_name(monkeypatch, prefix, found):
    monkeypatch.setenv(f"{prefix}K6_SYNC_INTERVAL_SECONDS", found)

    with pytest.raises(Rejected, match=r"K6_SYNC_INTERVAL_SECONDS: .*found '"):
        load()


@pytest.mark.parametrize("found", ["5", "300"])
def test_the_ends_of_the_range_are_in_it(monkeypatch, found):
    monkeypatch.setenv("K6_SYNC_INTERVAL_SECONDS", found)

    assert load().k6_sync_interval_seconds == int(found)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("AUTO_SYNC_ENABLED", "perhaps"),
        ("AT_ONCE", "0"),
        ("AT_ONCE", "257"),
        ("TIMEOUT", "0"),
        ("LOG_HEAD_MB", "0"),
        ("LOG_TAIL_MB", "1025"),
        ("CONTEXTS", "prod"),
        ("NAMESPACES", "{}"),
        ("BESIDE", "7"),
    ],
)
def test_what_is_out_of_range_is_refused_by_its_name(monkeypatch, name, found):
    monkeypatch.setenv(f"SYNCSVC_K6_{name}", found)

    with pytest.raises(Rejected, match=f"SYNCSVC_K6_{name}"):
        load()


def test_lists_are_written_as_json(monkeypatch):
    monkeypatch.setenv("SYNCSVC_K6_CONTEXTS", '["prod", "stage"]')
    monkeypatch.setenv("SYNCSVC_K6_NAMESPACES", '["load"]')

    settings = load()

    assert settings.k6_contexts == ("prod", "stage")
    assert settings.k6_namespaces == ("load",)
