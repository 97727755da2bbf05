"""Settings reach the processes by their environment, whole, and nobody else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from pydantic import SecretStr

from syncsvc.embedded.supervisor import STOP_WITHIN
from syncsvc.embedded.tree import Crew, Plan, SandboxOptions, as_environment, with_ports
from syncsvc.embedded.valkey import server
from syncsvc.settings import Settings, TestIoCustomer

SECRET = "s3cret"


@pytest.fixture
def settings(tmp_path):
    return Settings(
        data_dir=tmp_path,
        api_host="0.0.0.0",
        api_port=18080,
        api_token=SecretStr(SECRET),
        sync_storage_open=True,
        database_url=SecretStr(f"postgresql://u:{SECRET}@db/x"),
        redis_server=tmp_path / "server",
        quiet_period=timedelta(milliseconds=250),
        give_up_after=timedelta(days=2),
        log_format="json",
        testio_product_ids=(7, 9),
        testio_since=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        testio_customers=(
            TestIoCustomer(name="a", token=SecretStr(SECRET)),
            TestIoCustomer(
                name="b",
                token=SecretStr(SECRET),
                url="https://b.example/v2",
                product_ids=(1,),
                since=datetime(2026, 1, 2, tzinfo=UTC),
            ),
        ),
    )


@pytest.fixture
def plan(settings):
    environ = {
        "PATH": "/bin",
        "SYNCSVC_TESTIT_URL": "http://of.another",
        "SYNCSVC_X": "kept",
        "K6_SYNC_API_KEY": SECRET,
    }
    return Plan(settings, SandboxOptions(port=18090), Crew(workers=2), environ)


def test_a_child_builds_the_very_same_settings(settings, monkeypatch):
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)

    assert Settings() == settings


def test_no_setting_of_the_outside_slips_in(plan):
    for child in plan.children():
        assert "SYNCSVC_TESTIT_URL" not in child.env
        assert "K6_SYNC_API_KEY" not in child.env
        assert child.env["SYNCSVC_X"] == "kept"
        assert child.env["SYNCSVC_CONFIG"] == "/dev/null"


def test_no_secret_is_on_a_command_line(plan):
    for child in plan.children():
        assert SECRET not in " ".join(child.argv)
        assert SECRET in child.env["SYNCSVC_API_TOKEN"]


def test_a_foreign_program_learns_no_setting(plan):
    assert plan.foreign_environ == {"PATH": "/bin"}


def test_several_task_workers_have_names_of_their_own(plan):
    names = [child.name for child in plan.children()]

    assert names == ["gateway", "beat", "worker-1", "worker-2", "flower", "sandbox"]
    assert len({child.ready for child in plan.children()}) == len(names)


def test_all_stages_together_stop_in_time(plan, settings, tmp_path):
    valkey = server(tmp_path / "server", settings, environ={}, stop_order=4, lock=0)
    stages = groupby([*plan.children(), valkey], key=lambda child: child.stop_order)

    graces = [max(child.grace for child in stage) for _, stage in stages]

    assert sum(graces, timedelta(0)) <= STOP_WITHIN


def test_addresses_can_be_opened_on_this_machine(plan):
    assert plan.addresses == {
        "api": "http://127.0.0.1:18080",
        "sync_storage": "http://127.0.0.1:49152",
        "testsync_http": "http://127.0.0.1:9104",
        "testsync_ws": "ws://127.0.0.1:9105",
        "flower": "http://127.0.0.1:18080/flower/",
        "sandbox": "http://127.0.0.1:18090",
    }


def test_chosen_ports_stay_as_they_are(settings):
    assert with_ports(settings) == settings


def test_several_gateways_share_their_ports(plan):
    several = replace(plan, crew=Crew(gateways=2))

    gateways = [child for child in several.children() if child.argv[3] == "gateway"]

    assert [child.name for child in gateways] == ["gateway-1", "gateway-2"]
    assert all(child.env["SYNCSVC_SHARE_PORTS"] == "true" for child in gateways)
