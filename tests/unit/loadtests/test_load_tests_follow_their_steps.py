"""What a load test is, by its steps."""

import pytest

from syncsvc.loadtests.model import LoadTest, Phase, Reason, Result, Status
from syncsvc.loadtests.parents import derived
from tests.support.builders import MINUTE, NOON
from tests.unit.loadtests.lives import a_step

TEST = LoadTest("t1", "checkout", NOON)


def over(result: Result, order: int = 1, phase: Phase = Phase.FINISHED, **known):
    return a_step(phase=phase, result=result, order=order, **known)


GOOD = over(Result.SUCCEEDED)
BAD = over(Result.FAILED, reason=Reason.THRESHOLDS, detail="runner 1 of 2", order=2)
STOPPED = over(Result.CANCELLED, reason=Reason.ABORTED_BY_API)
DELETED = over(Result.CANCELLED, phase=Phase.GONE, reason=Reason.DELETED)
UNKNOWN = over(Result.UNKNOWN, reason=Reason.UNKNOWN)
PENDING = a_step()
RUNNING = a_step(phase=Phase.RUNNING)


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([PENDING, PENDING], Status.PENDING),
        ([GOOD, PENDING], Status.RUNNING),
        ([BAD, RUNNING], Status.RUNNING),
        ([GOOD, GOOD], Status.SUCCEEDED),
        ([GOOD, BAD, STOPPED], Status.FAILED),
        ([GOOD, STOPPED], Status.CANCELLED),
        ([GOOD, DELETED], Status.CANCELLED),
        ([GOOD, UNKNOWN], Status.FAILED),
    ],
)
def test_a_load_test_is_what_its_steps_are(steps, status):
    assert derived(TEST, steps).status is status


def test_the_reason_names_the_step():
    assert derived(TEST, [BAD]).reason == "step 2 'checkout': THRESHOLDS (runner 1 of 2)"


def test_a_test_without_steps_stays_as_it_is():
    assert derived(TEST, []) is TEST


def test_it_runs_from_the_first_start_to_the_last_end():
    one = over(Result.SUCCEEDED, started_at=NOON, completed_at=NOON + MINUTE)
    two = over(Result.SUCCEEDED, started_at=NOON + MINUTE, completed_at=NOON + 3 * MINUTE)

    test = derived(TEST, [two, one])

    assert (test.started_at, test.completed_at) == (NOON, NOON + 3 * MINUTE)
    assert derived(TEST, [one, RUNNING]).completed_at is None
