"""What every home of load tests promises of the job that polls, and of its cycles."""

import asyncio
from dataclasses import replace

import pytest

from syncsvc.errors import Conflict, Unknown
from syncsvc.loadtests.ports import ERRORS_KEPT, CycleReport, Origin, StepError, SyncJob
from tests.support.builders import MINUTE, NOON, SECOND
from tests.support.load_tests import (
    LARGE,
    a_change,
    a_step,
    a_test,
    a_turn,
    an_addition,
    an_ended_step,
    some_lines,
)

LATER = NOON + MINUTE


async def test_a_job_that_nobody_has_touched_leaves_all_to_the_settings(load_tests):
    assert await load_tests.control.job() == SyncJob()


async def test_a_change_is_kept_and_given_back(load_tests):
    control = load_tests.control

    changed = await control.change(0, a_change(due_at=LATER), NOON)

    assert changed == await control.job()
    assert changed == SyncJob(
        enabled=True,
        interval=15 * SECOND,
        origin=Origin.RUNTIME,
        version=1,
        updated_at=NOON,
        updated_by="an organizer",
        next_due_at=LATER,
    )


async def test_a_change_may_leave_all_to_the_settings_again(load_tests):
    control = load_tests.control
    await control.change(0, a_change(), NOON)

    empty = a_change(enabled=None, interval=None, origin=Origin.ENVIRONMENT, due_at=None, by=None)
    changed = await control.change(1, empty, LATER)

    assert changed == SyncJob(version=2, origin=Origin.ENVIRONMENT, updated_at=LATER)


@pytest.mark.parametrize("version", [0, 2])
async def test_a_job_that_was_changed_meanwhile_is_read_again_first(load_tests, version):
    control = load_tests.control
    before = await control.change(0, a_change(), NOON)

    with pytest.raises(Conflict, match=f"expected version 1, found {version}: read it again"):
        await control.change(version, a_change(enabled=False), LATER)

    assert await control.job() == before


async def test_of_two_who_change_it_at_the_same_moment_one_does(load_tests):
    control = load_tests.control
    changes = [control.change(0, a_change(by=name), NOON) for name in "abcde"]

    answers = await asyncio.gather(*changes, return_exceptions=True)

    done = [each for each in answers if isinstance(each, SyncJob)]
    assert [isinstance(each, Conflict) for each in answers].count(True) == 4
    assert done == [await control.job()]


async def test_a_turn_that_nobody_has_had_is_due(load_tests):
    control = load_tests.control

    assert await control.take_due(a_turn(), NOON)

    assert await control.job() == SyncJob(
        last_begun_at=NOON,
        next_due_at=NOON + 20 * SECOND,
        busy_until=NOON + MINUTE,
        busy_by="one",
    )


async def test_the_next_turn_is_due_an_interval_after_the_last_began(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(), NOON)
    await control.done("one")

    early = await control.take_due(a_turn("two"), NOON + 20 * SECOND - SECOND / 1000)
    due = await control.take_due(a_turn("two"), NOON + 20 * SECOND)

    assert (early, due) == (False, True)


async def test_a_late_turn_puts_the_next_one_off_and_is_not_made_up_for(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(), NOON)
    await control.done("one")

    await control.take_due(a_turn(), NOON + 10 * MINUTE)

    assert (await control.job()).next_due_at == NOON + 10 * MINUTE + 20 * SECOND


async def test_who_wants_a_turn_at_once_need_not_wait_until_it_is_due(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(), NOON)
    await control.done("one")

    assert not await control.take_due(a_turn("two"), NOON + SECOND)
    assert await control.take_due(a_turn("two", at_once=True), NOON + SECOND)


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_turn_that_is_anothers_is_not_to_be_had(load_tests, at_once):
    control = load_tests.control
    await control.take_due(a_turn(term=2 * MINUTE), NOON)

    taken = await control.take_due(a_turn("two", at_once=at_once), LATER)

    assert not taken
    assert (await control.job()).busy_by == "one"


async def test_the_turn_of_a_process_that_died_is_free_after_its_term(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(term=30 * SECOND), NOON)

    early = await control.take_due(a_turn("two"), NOON + 29 * SECOND)
    after = await control.take_due(a_turn("two"), NOON + 30 * SECOND)

    assert (early, after) == (False, True)
    assert (await control.job()).busy_by == "two"


@pytest.mark.parametrize("version", [0, 2])
async def test_a_job_that_was_changed_since_it_was_read_is_not_begun(load_tests, version):
    control = load_tests.control
    before = await control.change(0, a_change(), NOON)

    taken = await control.take_due(a_turn(version=version, at_once=True), LATER)

    assert not taken
    assert await control.job() == before


async def test_a_change_leaves_a_cycle_that_runs_alone(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(), NOON)

    changed = await control.change(0, a_change(due_at=LATER), NOON + SECOND)

    assert (changed.busy_by, changed.busy_until) == ("one", NOON + MINUTE)
    assert (changed.last_begun_at, changed.next_due_at) == (NOON, LATER)


async def test_a_turn_is_kept_for_longer_by_who_has_it_alone(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(), NOON)

    kept = [await control.keep(name, NOON + 5 * MINUTE) for name in ("two", "one")]

    assert kept == [False, True]
    assert not await control.take_due(a_turn("two"), NOON + 4 * MINUTE)


async def test_a_turn_that_another_has_taken_over_is_not_kept(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(term=SECOND), NOON)
    await control.take_due(a_turn("two"), LATER)

    assert not await control.keep("one", NOON + 5 * MINUTE)
    assert (await control.job()).busy_until == LATER + MINUTE


async def test_a_turn_that_was_given_back_is_not_kept(load_tests):
    await load_tests.control.take_due(a_turn(), NOON)
    await load_tests.control.done("one")

    assert not await load_tests.control.keep("one", LATER)


async def test_who_is_done_lets_others_begin_when_the_next_is_due(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(term=5 * MINUTE), NOON)

    await control.done("one")

    job = await control.job()
    assert (job.busy_by, job.busy_until) == (None, None)
    assert await control.take_due(a_turn("two"), NOON + 20 * SECOND)


async def test_who_was_overtaken_gives_nothing_back(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(term=SECOND), NOON)
    await control.take_due(a_turn("two"), LATER)
    before = await control.job()

    await control.done("one")
    await control.done("one", LATER)

    assert await control.job() == before


async def test_a_reserved_turn_is_the_holders_until_it_is_reserved_no_more(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(), NOON)
    await control.done("one", NOON + 30 * SECOND)

    others = [
        await control.take_due(a_turn("two"), NOON + after * SECOND) for after in (20, 29, 30)
    ]

    assert others == [False, False, True]


async def test_the_holder_begins_a_turn_that_is_reserved_for_it_when_it_is_due(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(), NOON)
    await control.done("one", NOON + 30 * SECOND)

    mine = [await control.take_due(a_turn(), NOON + after * SECOND) for after in (19, 20)]

    assert mine == [False, True]


async def test_a_reservation_may_be_given_back(load_tests):
    control = load_tests.control
    await control.take_due(a_turn(), NOON)
    await control.done("one", NOON + 30 * SECOND)

    await control.done("one")

    assert await control.take_due(a_turn("two"), NOON + 20 * SECOND)


@pytest.mark.parametrize("at_once", [False, True])
async def test_of_many_who_take_a_turn_at_the_same_moment_one_gets_it(load_tests, at_once):
    control = load_tests.control
    turns = [a_turn(f"holder {number}", at_once=at_once) for number in range(8)]

    taken = await asyncio.gather(*(control.take_due(turn, NOON) for turn in turns))

    assert taken.count(True) == 1
    assert (await control.job()).busy_by == turns[taken.index(True)].holder


async def test_each_cycle_has_a_greater_fence_also_of_many_that_begin_at_once(load_tests):
    first = await load_tests.cycles.begin(NOON)

    fences = await asyncio.gather(*(load_tests.cycles.begin(LATER) for _ in range(5)))

    assert len({first, *fences}) == 6
    assert min(fences) > first


async def written(home, fence: int, how: str) -> None:
    """Write in one of the ways that a cycle has."""
    if how == "save":
        await home.tests.save(fence, [an_ended_step()], NOON)
    elif how == "append":
        await home.logs.append(fence, [an_addition(some_lines(0))], LARGE, NOON)
    else:
        await home.logs.keep_summaries(fence, "step", {1: []})


@pytest.mark.parametrize("how", ["save", "append", "keep_summaries"])
async def test_a_cycle_that_was_overtaken_writes_nothing(load_tests, how):
    await load_tests.tests.register(a_test(), [a_step()])
    old = await load_tests.cycles.begin(NOON)
    new = await load_tests.cycles.begin(NOON)

    with pytest.raises(Conflict, match=f"expected the newest, {new}, found {old}"):
        await written(load_tests, old, how)

    assert await load_tests.tests.step("step") == a_step()
    assert await load_tests.logs.logs(["step"]) == []
    await written(load_tests, new, how)


async def test_a_report_is_kept_with_its_cycle(load_tests):
    cycles = load_tests.cycles
    report = CycleReport(
        total=7,
        updated=6,
        errors=1,
        logs_updated=5,
        calls=40,
        size=3_000_000_000,
        duration=SECOND / 7,
        step_errors=(StepError("step", "Step", "503: \u00fc \u2603"),),
    )
    first = await cycles.begin(NOON)
    second = await cycles.begin(LATER)

    await cycles.end(first, report)

    newest, oldest = await cycles.latest(5)
    assert (newest.fence, newest.began_at, newest.report) == (second, LATER, None)
    assert (oldest.fence, oldest.began_at, oldest.report) == (first, NOON, report)
    assert await cycles.latest(1) == [newest]


async def test_the_next_cycle_may_be_hurried_but_never_put_off(load_tests):
    control = load_tests.control
    await control.hurry(NOON)
    await control.take_due(a_turn(), NOON)
    due_at = (await control.job()).next_due_at

    await control.hurry(LATER)
    put_off = await control.job()
    await control.hurry(NOON + SECOND)

    assert put_off.next_due_at == due_at
    assert await control.job() == replace(put_off, next_due_at=NOON + SECOND)


async def test_the_first_report_of_a_cycle_stays(load_tests):
    fence = await load_tests.cycles.begin(NOON)
    first = CycleReport(total=1, errors=1, step_errors=(StepError("a", "A", "503"),))
    await load_tests.cycles.end(fence, first)

    await load_tests.cycles.end(fence, replace(first, total=2))

    [cycle] = await load_tests.cycles.latest(5)
    assert cycle.report == first


async def test_a_cycle_that_never_began_has_no_report(load_tests):
    with pytest.raises(Unknown, match="'7'"):
        await load_tests.cycles.end(7, CycleReport())


async def test_all_errors_are_counted_and_the_first_are_kept_by_name(load_tests):
    errors = tuple(StepError(f"s{n}", f"Step {n}", "503") for n in range(ERRORS_KEPT + 20))
    fence = await load_tests.cycles.begin(NOON)

    await load_tests.cycles.end(fence, CycleReport(errors=len(errors), step_errors=errors))

    [cycle] = await load_tests.cycles.latest(1)
    assert cycle.report.errors == ERRORS_KEPT + 20
    assert cycle.report.step_errors == errors[:ERRORS_KEPT]


async def test_old_cycles_are_forgotten_but_for_the_newest(load_tests):
    cycles = load_tests.cycles
    report = CycleReport(errors=1, step_errors=(StepError("a", "A", "503"),))
    fences = [await cycles.begin(NOON + number * SECOND) for number in range(3)]
    for fence in fences:
        await cycles.end(fence, report)

    await load_tests.tests.forget(NOON + SECOND)
    some = [cycle.fence for cycle in await cycles.latest(5)]
    await load_tests.tests.forget(LATER)
    last = [cycle.fence for cycle in await cycles.latest(5)]

    assert (some, last) == (fences[:0:-1], fences[2:])
    assert await cycles.begin(LATER) > fences[2]


async def test_words_of_a_cluster_that_have_nul_in_them_harm_nothing(load_tests):
    await load_tests.tests.register(a_test(), [a_step()])
    fence = await load_tests.cycles.begin(NOON)

    ended = an_ended_step(detail="runner\0 1", stalled="a\0b", logs_detail="c\0d")
    await load_tests.tests.save(fence, [ended], NOON)
    await load_tests.cycles.end(
        fence, CycleReport(errors=1, step_errors=(StepError("step", "Step", "no\0 log"),))
    )

    step, [cycle] = await load_tests.tests.step("step"), await load_tests.cycles.latest(1)
    told = (step.detail, step.stalled, step.logs_detail, cycle.report.step_errors[0].error)
    assert [each.replace("\0", "") for each in told] == ["runner 1", "ab", "cd", "no log"]
