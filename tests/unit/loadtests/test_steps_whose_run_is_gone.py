"""What becomes of a step whose TestRun is not there any more."""

from dataclasses import replace

from syncsvc.loadtests.model import Phase, Reason, Result, Status
from syncsvc.loadtests.seen import Stage
from syncsvc.loadtests.sight import NOTHING, Sight, newcomer
from tests.support.builders import MINUTE, NOON, SECOND
from tests.unit.loadtests.lives import (
    a_pod,
    a_run,
    ended,
)
from tests.unit.loadtests.looks import looked, over, running, verdict


def test_one_look_without_it_ends_nothing_and_two_do():
    assert not looked(running(), NOTHING).is_over
    assert not looked(running(), NOTHING, running(), NOTHING).is_over
    assert looked(running(), NOTHING, NOTHING).is_over


def test_an_absence_that_the_cluster_tells_of_is_believed_at_once():
    assert looked(running(), Sight(proven=True)).is_over


def test_a_run_that_was_deleted_before_its_end_was_seen_is_cancelled():
    step = looked(running(), NOTHING, NOTHING)

    assert verdict(step) == (Phase.GONE, Result.CANCELLED, Reason.DELETED)
    assert step.status is Status.DELETED
    assert step.detail == "it was deleted; it was last seen started, and its end was not seen"


def test_a_run_that_cleans_up_may_have_ended_and_that_is_said():
    step = looked(running(cleans_up=True), NOTHING, NOTHING)

    assert verdict(step) == (Phase.GONE, Result.UNKNOWN, Reason.UNKNOWN)
    assert step.status is Status.DELETED


def test_a_deletion_that_was_seen_is_told_even_of_a_run_that_cleans_up():
    step = looked(running(cleans_up=True, deleting_at=NOON), NOTHING, NOTHING)

    assert verdict(step) == (Phase.GONE, Result.CANCELLED, Reason.DELETED)


def test_runners_that_a_deletion_killed_are_no_failure():
    asked = NOON + SECOND
    killed = replace(ended(1, 137, finished_at=NOON + MINUTE), deleting_at=asked)

    step = looked(running(), Sight(None, (killed,)), NOTHING)

    assert verdict(step) == (Phase.GONE, Result.CANCELLED, Reason.DELETED)


def test_another_uid_under_the_name_is_another_run():
    other = a_run(Stage.FINISHED, uid="u2", created_at=NOON + MINUTE)
    sight = Sight(other, (replace(ended(1, 99), created_at=NOON + MINUTE),))

    step = looked(running(), sight)

    assert verdict(step) == (Phase.GONE, Result.CANCELLED, Reason.DELETED)
    assert step.uid == "u1"
    assert newcomer(step, sight) is other


def test_a_run_that_was_last_seen_stopped_has_ended_whatever_became_of_it():
    step = looked(Sight(a_run(Stage.STOPPED)), NOTHING, NOTHING)

    assert verdict(step) == (Phase.FINISHED, Result.UNKNOWN, Reason.UNKNOWN)


def test_a_failure_that_was_seen_stands_when_the_others_are_not_known():
    step = looked(replace(running(parallelism=2), pods=(ended(2, 99),)), NOTHING, NOTHING)

    assert verdict(step) == (Phase.GONE, Result.FAILED, Reason.THRESHOLDS)
    assert step.status is Status.FAILED
    assert step.detail == (
        "runner 2 of 2 exited 99: thresholds were crossed; "
        "it is gone, and how the other runners ended was not seen"
    )


def test_an_end_that_came_by_its_deletion_is_a_deletion():
    known = {"deleting_at": NOON, "load_ended_at": NOON + MINUTE}

    step = looked(over(a_pod(1, deleting_at=NOON), **known))

    assert verdict(step) == (Phase.GONE, Result.CANCELLED, Reason.DELETED)
