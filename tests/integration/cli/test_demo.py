"""`syncsvc demo`: a distributed run, end to end, on a private stack."""

import json

import pytest

from tests.integration.cli.test_command_line import syncsvc


@pytest.mark.timeout(180)
def test_the_demo_ends_with_the_held_result_final():
    answer = syncsvc("demo", "--json", patience=150)

    ready, outcome = map(json.loads, answer.stdout.splitlines())
    assert answer.returncode == 0
    assert ready["addresses"].keys() >= {"api", "sync_storage", "flower", "sandbox"}
    assert outcome["ok"] is True
    assert (outcome["run_state"], outcome["unfinished"]) == ("Completed", 0)
    assert (outcome["held_test"], outcome["held_status"]) == ("story_1_1", "Succeeded")
    assert (outcome["load_test"]["status"], outcome["load_test"]["reason"]) == (
        "FAILED",
        "THRESHOLDS",
    )
