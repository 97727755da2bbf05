"""What every home of load tests counts of them, for those who ask often."""

from datetime import timedelta

from syncsvc.loadtests.model import LogsState, Stale
from syncsvc.loadtests.ports import CycleReport, Place, Pulse, StepError
from tests.support.builders import NOON, SECOND
from tests.support.load_tests import CLUSTER, NAMESPACE, a_step, a_test, an_ended_step

TROUBLE = {"stale": Stale(NOON, 1, "503"), "stalled": "PENDING for 6 min"}


async def kept(home, *steps):
    await home.tests.register(a_test(), [a_step(step.id, **at(step)) for step in steps])
    await home.tests.save(await home.cycles.begin(NOON), steps, NOON)


def at(step) -> dict[str, str]:
    return {"cluster": step.cluster, "namespace": step.namespace}


async def test_steps_are_counted_by_their_place(load_tests):
    going, stale = a_step("a"), a_step("b", stale=Stale(NOON, 1, "503"))
    await kept(load_tests, going, stale, a_step("c", cluster="b", **TROUBLE))

    found = await load_tests.tests.pulses()

    assert found == [
        Pulse(Place("b", NAMESPACE), under_way=1, stale=1, stalled=1, unread=0),
        Pulse(Place(CLUSTER, NAMESPACE), under_way=2, stale=1, stalled=0, unread=0),
    ]


async def test_a_step_that_is_over_counts_until_its_logs_are_read(load_tests):
    read = an_ended_step("b", logs=LogsState.COMPLETE)
    await kept(load_tests, an_ended_step("a", logs=LogsState.PARTIAL), read)

    [found] = await load_tests.tests.pulses()

    assert (found.under_way, found.unread) == (0, 1)


async def test_the_last_cycle_that_has_ended_is_told_without_its_errors_by_name(load_tests):
    report = CycleReport(
        total=2, errors=1, duration=2 * SECOND, step_errors=(StepError("a", "A", "503"),)
    )
    first = await load_tests.cycles.begin(NOON)
    await load_tests.cycles.end(first, report)
    await load_tests.cycles.begin(NOON + timedelta(seconds=20))

    found = await load_tests.cycles.last_ended()

    assert (found.fence, found.began_at) == (first, NOON)
    assert found.report == CycleReport(total=2, errors=1, duration=2 * SECOND)


async def test_before_the_first_cycle_has_ended_there_is_none(load_tests):
    await load_tests.cycles.begin(NOON)

    assert await load_tests.cycles.last_ended() is None
