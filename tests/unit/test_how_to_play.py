"""`up --sandbox` is ready for a pushed report, and says how to push one."""

import pytest

from syncsvc.cli.whole import how_to_play, with_sandbox
from syncsvc.embedded.tree import SandboxOptions
from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, TOKEN
from syncsvc.settings import Settings

OWN = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path)


def test_results_go_to_the_sandbox_and_its_project_and_configuration(settings):
    found = with_sandbox(settings, SandboxOptions(port=18090))

    assert (found.testit_url, found.testit_token.get_secret_value()) == (
        "http://127.0.0.1:18090",
        TOKEN,
    )
    assert found.testit_project_id == str(PROJECT_ID)
    assert found.testit_configuration_id == str(CONFIGURATION_ID)


def test_a_project_and_a_configuration_that_are_set_stay(settings):
    chosen = {"testit_project_id": OWN, "testit_configuration_id": OWN}

    found = with_sandbox(settings.model_copy(update=chosen), SandboxOptions())

    assert (found.testit_project_id, found.testit_configuration_id) == (OWN, OWN)


@pytest.mark.parametrize(("port", "option"), [(8080, ""), (18080, " --api http://127.0.0.1:18080")])
def test_the_command_that_pushes_a_report_is_shown_as_it_works_here(settings, port, option):
    told = how_to_play(settings.model_copy(update={"api_port": port}), "http://127.0.0.1:18090")

    assert f"  syncsvc results push junit.xml --wait{option}" in told.splitlines()


def test_commands_are_told_where_the_stack_is(settings):
    told = how_to_play(settings, "http://127.0.0.1:18090")

    folder = settings.data_dir
    kubeconfig = f"SYNCSVC_K6_KUBECONFIG={folder}/sandbox-kubeconfig"
    assert f"  export SYNCSVC_DATA_DIR={folder} {kubeconfig}" in told.splitlines()
    assert "http://127.0.0.1:18090/__sandbox__/kubernetes/testruns" in told
