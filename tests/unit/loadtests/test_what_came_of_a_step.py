"""What came of a step that is over, by its runners."""

from dataclasses import replace

import pytest

from syncsvc.loadtests.model import Phase, Reason, Result, Status
from syncsvc.loadtests.seen import ContainerState, Role, Stage
from syncsvc.loadtests.sight import NOTHING, Sight
from tests.support.builders import MINUTE, NOON, SECOND
from tests.unit.loadtests.lives import (
    a_container,
    a_job,
    a_pod,
    a_run,
    ended,
)
from tests.unit.loadtests.looks import looked, over, running, verdict


@pytest.mark.parametrize(
    ("code", "known", "result", "reason"),
    [
        (0, {}, Result.SUCCEEDED, None),
        (97, {}, Result.FAILED, Reason.CLOUD),
        (99, {}, Result.FAILED, Reason.THRESHOLDS),
        (100, {}, Result.FAILED, Reason.SETUP_TIMEOUT),
        (101, {}, Result.FAILED, Reason.TEARDOWN_TIMEOUT),
        (102, {}, Result.FAILED, Reason.TIMEOUT),
        (103, {}, Result.CANCELLED, Reason.ABORTED_BY_API),
        (104, {}, Result.FAILED, Reason.INVALID_CONFIG),
        (105, {}, Result.CANCELLED, Reason.SIGNAL),
        (106, {}, Result.FAILED, Reason.REST_API),
        (107, {}, Result.FAILED, Reason.SCRIPT),
        (108, {}, Result.FAILED, Reason.ABORTED_BY_SCRIPT),
        (109, {}, Result.FAILED, Reason.PANIC),
        (110, {}, Result.FAILED, Reason.MARKED_FAILED),
        (137, {"reason": "OOMKilled"}, Result.FAILED, Reason.OOM),
        (137, {}, Result.FAILED, Reason.INFRA),
        (143, {}, Result.FAILED, Reason.INFRA),
        (255, {}, Result.FAILED, Reason.INFRA),
        (1, {}, Result.FAILED, Reason.EXIT_CODE),
    ],
)
def test_the_exit_code_of_the_runner_is_the_result(code, known, result, reason):
    step = looked(over(ended(1, code, **known)))

    assert verdict(step) == (Phase.FINISHED, result, reason)
    assert (step.detail is None) == (code == 0)


def test_one_of_four_runners_that_crosses_a_threshold_fails_the_step_and_is_named():
    step = looked(over(ended(1, 0), ended(2, 0), ended(3, 99), ended(4, 0)))

    assert verdict(step) == (Phase.FINISHED, Result.FAILED, Reason.THRESHOLDS)
    assert step.detail == "runner 3 of 4 exited 99: thresholds were crossed"


@pytest.mark.parametrize("container", [a_container(105), a_container(state=ContainerState.UNKNOWN)])
def test_an_evicted_runner_fails_the_step(container):
    pod = a_pod(1, container, phase="Failed", reason="Evicted")

    assert looked(over(pod)).reason is Reason.EVICTED


def test_a_runner_whose_job_failed_without_a_pod_is_lost():
    step = looked(over(ended(2, 0), jobs=(a_job(1, failed=1),), parallelism=2))

    assert verdict(step) == (Phase.FINISHED, Result.FAILED, Reason.RUNNER_LOST)
    assert step.detail is not None
    assert "runner 1 of 2" in step.detail


def test_a_runner_whose_job_succeeded_needs_no_pod():
    step = looked(over(ended(2, 0), jobs=(a_job(1, succeeded=1),), parallelism=2))

    assert step.result is Result.SUCCEEDED


def test_a_runner_without_a_trace_is_lost():
    assert looked(over(ended(2, 0), parallelism=2)).reason is Reason.RUNNER_LOST


def test_a_runner_that_a_cleanup_took_is_not_called_lost():
    step = looked(over(ended(2, 0), parallelism=2, cleans_up=True))

    assert verdict(step) == (Phase.FINISHED, Result.UNKNOWN, Reason.UNKNOWN)
    assert step.detail == "it is over, and nothing was left that tells how runner 1 of 2 ended"


@pytest.mark.parametrize("parallelism", [0, 3])
def test_an_end_with_nothing_left_to_read_is_never_a_success(parallelism):
    step = looked(over(parallelism=parallelism))

    assert verdict(step) == (Phase.FINISHED, Result.UNKNOWN, Reason.UNKNOWN)
    assert step.status is Status.FAILED


def test_what_a_runner_ended_with_stays_known_when_its_pod_is_gone():
    seen = replace(running(cleans_up=True), pods=(ended(1, 99),))

    step = looked(seen, NOTHING, NOTHING)

    assert verdict(step) == (Phase.FINISHED, Result.FAILED, Reason.THRESHOLDS)


def test_a_pod_that_takes_the_place_of_one_that_failed_does_not_undo_that():
    another = a_pod(1, uid="p9", name="checkout-1-y", created_at=NOON + MINUTE)
    well = replace(another, containers=(a_container(0),), phase="Succeeded")

    waiting = looked(replace(running(), pods=(ended(1, 137),)), replace(running(), pods=(another,)))

    assert looked(over(well), step=waiting).reason is Reason.INFRA


def test_other_pods_of_the_run_do_not_count():
    starter = a_pod(None, a_container(7), role=Role.STARTER)
    initializer = a_pod(None, a_container(0), role=Role.INITIALIZER)
    sight = over(ended(1, 0), starter, initializer, parallelism=1)

    assert looked(sight).result is Result.SUCCEEDED


def test_an_error_of_the_operator_is_a_failed_initialization_with_its_exit_code():
    initializer = a_pod(None, a_container(1), role=Role.INITIALIZER)

    step = looked(Sight(a_run(Stage.ERROR), (initializer,)))

    assert verdict(step) == (Phase.ERROR, Result.FAILED, Reason.INIT_FAILED)
    assert step.detail == "the initializer exited 1: its log says why"


def test_a_job_without_an_age_is_believed_only_at_the_end():
    old = a_job(1, succeeded=1, created_at=None)

    step = looked(replace(running(), jobs=(old,)))

    assert step.runners == {}
    assert looked(over(jobs=(old,), parallelism=1)).result is Result.SUCCEEDED


def test_of_many_bad_runners_only_the_first_are_named():
    step = looked(over(*(ended(index, 99) for index in range(1, 9))))

    assert step.detail is not None
    assert step.detail.endswith(
        "runner 5 of 8 exited 99: thresholds were crossed; and 3 more runners"
    )


def test_an_end_before_its_deletion_is_an_end():
    known = {"deleting_at": NOON + MINUTE, "load_ended_at": NOON}

    assert looked(over(ended(1, 0), **known)).result is Result.SUCCEEDED


def test_a_runner_that_a_deletion_of_its_pod_ended_is_lost_to_the_run():
    known = {"finished_at": NOON + SECOND}
    pod = replace(ended(1, 105, **known), deleting_at=NOON + SECOND)

    assert looked(over(pod, ended(2, 0))).reason is Reason.RUNNER_LOST


def test_a_killed_pod_that_is_cleaned_away_was_not_killed_by_that():
    pod = replace(ended(1, 137, finished_at=NOON), deleting_at=NOON + SECOND)

    assert looked(over(pod, cleans_up=True)).reason is Reason.INFRA
