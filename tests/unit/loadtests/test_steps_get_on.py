"""How a step gets on with each look at the cluster."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syncsvc.loadtests.model import Phase, Result, RunnerState, Stale, Status
from syncsvc.loadtests.seen import Listed, Stage
from syncsvc.loadtests.sight import NOTHING, Sight, sights
from syncsvc.loadtests.verdict import trouble
from tests.support.builders import MINUTE, NOON, SECOND
from tests.unit.loadtests.lives import (
    a_pod,
    a_run,
    ended,
)
from tests.unit.loadtests.looks import looked, over, running


@pytest.mark.parametrize(
    ("stage", "phase", "status"),
    [
        (None, Phase.PENDING, Status.PENDING),
        (Stage.INITIALIZATION, Phase.PENDING, Status.PENDING),
        (Stage.INITIALIZED, Phase.PENDING, Status.PENDING),
        (Stage.CREATED, Phase.STARTING, Status.RUNNING),
        (Stage.STARTED, Phase.RUNNING, Status.RUNNING),
        (Stage.STOPPED, Phase.STOPPING, Status.RUNNING),
    ],
)
def test_each_stage_is_a_phase_and_none_of_these_is_an_end(stage, phase, status):
    step = looked(Sight(a_run(stage)))

    assert (step.phase, step.status, step.is_over) == (phase, status, False)


def test_a_runner_that_still_runs_is_waited_for_once():
    sight = over(a_pod(1))

    once, twice = looked(sight), looked(sight, sight)

    assert once.phase is Phase.STOPPING
    assert twice.is_over
    assert looked(sight, over(ended(1, 0))).result is Result.SUCCEEDED


def test_a_step_whose_run_was_never_there_waits_for_it():
    step = looked(NOTHING, NOTHING, Sight(proven=True))

    assert (step.phase, step.uid) == (Phase.PENDING, None)


def test_a_step_that_is_over_never_changes():
    step = looked(over(ended(1, 0)))

    assert looked(over(ended(1, 99)), step=step) is step
    assert trouble(step, "503", NOON) is step


def test_trouble_keeps_what_was_known_and_is_forgotten_by_the_next_look():
    step = looked(running())

    troubled = trouble(trouble(step, "503", NOON), "timeout", NOON + MINUTE)

    assert troubled.stale == Stale(NOON, 2, "timeout")
    assert replace(troubled, stale=None) == step
    assert looked(running(), step=troubled).stale is None


def test_a_stage_never_goes_back():
    assert looked(Sight(a_run(Stage.STOPPED)), running()).phase is Phase.STOPPING


def test_a_stage_that_we_do_not_know_is_told():
    step = looked(running(), Sight(a_run(None, odd_stage="paused")))

    assert (step.phase, step.detail) == (Phase.RUNNING, "a stage that we do not know: paused")


def test_a_step_runs_from_where_its_load_began_to_where_it_ended():
    began, end = NOON + SECOND, NOON + MINUTE
    known = {"load_began_at": began, "load_ended_at": end}

    step = looked(over(ended(1, 0, started_at=NOON, finished_at=NOON + 50 * SECOND), **known))

    assert (step.started_at, step.completed_at) == (began, end)


def test_without_the_operators_words_the_runners_tell_when_it_ran():
    pod = ended(1, 0, started_at=NOON, finished_at=NOON + timedelta(seconds=50))

    step = looked(over(pod))

    assert (step.started_at, step.completed_at) == (NOON, NOON + 50 * SECOND)


def test_what_a_namespace_shows_is_sorted_by_name():
    run, pod, other = a_run(), a_pod(1), a_pod(1, test_run="other")

    shown = sights(Listed([run], [pod, other], [], NOON))

    assert shown == {"checkout": Sight(run, [pod], []), "other": Sight(None, [other], [])}


def test_a_runner_that_is_there_is_known_by_its_number():
    step = looked(replace(running(), pods=(a_pod(2), a_pod(None))))

    assert [(each.index, each.state) for each in step.runners.values()] == [
        (2, RunnerState.RUNNING)
    ]
