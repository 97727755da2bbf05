"""`syncsvc results`: what is held, what is dead, and trying it again."""

import json

import pytest

from syncsvc.results.held.model import EntryState
from syncsvc.stores.sql.migrate import migrate
from syncsvc.wiring.services import build
from tests.integration.cli.test_command_line import syncsvc
from tests.support.builders import MINUTE, NOON, cut, run
from tests.support.waiting import apart

REASON = "Test IT answered 401 to POST /adapters/testResults/search"


@pytest.fixture
def dead(tmp_path, monkeypatch) -> str:
    """The id of a dead result, beside one that is held, in a database of its own."""
    monkeypatch.setenv("SYNCSVC_DATA_DIR", str(tmp_path))
    from syncsvc.settings import load  # noqa: PLC0415 - after the variable is set

    async def prepare() -> str:
        services = build(load())
        outbox = services.stores.outbox
        await migrate(services.stores.database)
        await services.stores.runs.put(run("run"))
        entry_id = await outbox.hold(cut("refused"), NOON)
        await outbox.release("run", NOON, forced=False)
        (claimed,) = await outbox.claim_due(NOON, MINUTE, 10)
        await outbox.settle(claimed, EntryState.DEAD, NOON, REASON)
        await outbox.hold(cut("waiting"), NOON)
        await services.close()
        return entry_id

    return apart(prepare())


def test_the_dead_are_listed_with_their_reason(dead):
    shown = syncsvc("results", "list", "--dead")
    (listed,) = json.loads(syncsvc("results", "list", "--dead", "--json").stdout)

    assert (listed["id"], listed["state"], listed["reason"]) == (dead, "dead", REASON)
    assert "refused" in shown.stdout
    assert "waiting" not in shown.stdout


def test_all_are_listed_by_run_and_by_state(dead):
    everything = json.loads(syncsvc("results", "list", "--run", "run", "--json").stdout)
    held = json.loads(syncsvc("results", "list", "--state", "held", "--json").stdout)

    assert {each["external_id"] for each in everything} == {"refused", "waiting"}
    assert [each["external_id"] for each in held] == ["waiting"]
    assert dead not in {each["id"] for each in held}


@pytest.mark.usefixtures("dead")
def test_nothing_to_list_is_said():
    assert syncsvc("results", "list", "--run", "other").stdout == "no results\n"


def test_one_result_is_shown_with_every_field(dead):
    shown = syncsvc("results", "show", dead)

    assert REASON in shown.stdout
    assert json.loads(syncsvc("results", "show", dead, "--json").stdout)["id"] == dead


def test_a_dead_result_is_tried_again(dead):
    answer = syncsvc("results", "retry", dead, "--json")

    assert (answer.returncode, json.loads(answer.stdout)) == (0, {"retried": 1})
    assert json.loads(syncsvc("results", "show", dead, "--json").stdout)["state"] == "pending"


def test_all_dead_results_are_tried_again(dead):
    assert syncsvc("results", "retry", "--all").stdout == "1 will be tried again now\n"
    assert syncsvc("results", "retry", "--all").stdout == "0 will be tried again now\n"
    assert dead


def test_dropping_without_anybody_to_ask_says_how_to_agree_and_drops_nothing(dead):
    refused = syncsvc("results", "drop", dead)

    assert (refused.returncode, "use --yes" in refused.stderr) == (2, True)
    assert "Aborted" not in refused.stderr
    assert json.loads(syncsvc("results", "show", dead, "--json").stdout)["state"] == "dead"
    assert syncsvc("results", "drop", dead, "--yes").stdout == "1 removed\n"


@pytest.mark.usefixtures("dead")
def test_what_cannot_be_is_said_in_the_words_of_the_command():
    neither = syncsvc("results", "retry")
    stranger = syncsvc("results", "retry", "stranger")
    state = syncsvc("results", "list", "--state", "lost")

    assert (neither.returncode, "name one RESULT, or say --all" in neither.stderr) == (2, True)
    assert (stranger.returncode, "found 'stranger'" in stranger.stderr) == (1, True)
    expected = "syncsvc: --state: expected one of held, pending, delivered, dead, found 'lost'\n"
    assert (state.returncode, state.stderr) == (1, expected)
