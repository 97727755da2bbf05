"""What every home of rosters promises."""

import asyncio

import pytest

from syncsvc.runs.model import Caller, Mastership, WorkerStatus
from tests.support.builders import MINUTE, NOON, SECOND

REGISTERED, IN_PROGRESS, COMPLETED = WorkerStatus


async def test_an_unknown_run_has_no_roster(rosters, run_id):
    assert await rosters.get(run_id) is None


async def test_a_registered_worker_is_on_the_roster(rosters, run_id):
    await rosters.register(run_id, "a", NOON)

    roster = await rosters.get(run_id)

    assert [(w.name, w.status, w.seen_at) for w in roster.workers] == [("a", REGISTERED, NOON)]
    assert roster.master == "a"


MASTER, WORKER = (True, None), (False, None)


async def gives_way(rosters, run_id, worker, now):
    """Register a worker while the master gives way, and tell whose place it may take."""
    is_master, mastership = await rosters.register(run_id, worker, now)
    assert mastership.token == (await rosters.get(run_id)).token
    return is_master, mastership.worker


async def test_the_first_of_many_that_begins_is_the_only_master(rosters, run_id):
    assert await rosters.register(run_id, "a", NOON) == MASTER
    await rosters.report(run_id, "a", IN_PROGRESS, NOON)

    others = [await rosters.register(run_id, f"b{i}", NOON) for i in range(5)]

    assert others == [WORKER] * 5


async def test_registering_again_gives_the_same_answer(rosters, run_id):
    first = [await rosters.register(run_id, "a", NOON), await rosters.register(run_id, "a", NOON)]
    await rosters.report(run_id, "a", IN_PROGRESS, NOON)
    second = [await rosters.register(run_id, "b", NOON), await rosters.register(run_id, "b", NOON)]

    assert (first, second) == ([MASTER, MASTER], [WORKER, WORKER])


async def test_a_controller_that_never_begins_gives_way(rosters, run_id):
    await rosters.register(run_id, "controller", NOON)
    await rosters.report(run_id, "controller", None, NOON)  # keep_alive is not a beginning

    assert await gives_way(rosters, run_id, "gw0", NOON) == (False, "controller")


async def test_a_silent_master_gives_way(rosters, run_id):
    await rosters.register(run_id, "a", NOON)
    await rosters.report(run_id, "a", IN_PROGRESS, NOON)

    assert await rosters.register(run_id, "b", NOON + 29 * MINUTE) == WORKER
    assert await gives_way(rosters, run_id, "b", NOON + 31 * MINUTE) == (False, "a")


async def test_of_two_heirs_only_the_first_takes_over(rosters, run_id):
    await rosters.register(run_id, "a", NOON)

    _, mastership = await rosters.register(run_id, "b", NOON)
    taken = [await rosters.take_over(run_id, heir, mastership, NOON) for heir in ("b", "c")]

    assert taken == [True, False]
    assert (await rosters.get(run_id)).master == "b"


async def test_a_mastership_that_was_lost_with_its_roster_cannot_be_taken_over(rosters, run_id):
    assert not await rosters.take_over(run_id, "b", Mastership("a", 1), NOON)
    assert await rosters.get(run_id) is None


async def test_a_report_changes_status_and_moment(rosters, run_id):
    await rosters.register(run_id, "a", NOON)

    assert await rosters.report(run_id, "a", COMPLETED, NOON + SECOND) is True

    roster = await rosters.get(run_id)
    assert (roster.workers[0].status, roster.workers[0].seen_at) == (COMPLETED, NOON + SECOND)


async def test_a_sign_of_life_keeps_the_status_and_marks_the_worker_as_one_that_beats(
    rosters, run_id
):
    await rosters.register(run_id, "a", NOON)
    await rosters.report(run_id, "a", IN_PROGRESS, NOON)

    await rosters.report(run_id, "a", None, NOON + SECOND)

    worker = (await rosters.get(run_id)).workers[0]
    assert (worker.status, worker.beats, worker.seen_at) == (IN_PROGRESS, True, NOON + SECOND)


async def test_a_worker_that_never_registered_is_told_so(rosters, run_id):
    await rosters.register(run_id, "a", NOON)

    assert await rosters.report(run_id, "stranger", IN_PROGRESS, NOON) is False


async def test_a_run_without_a_roster_is_told_apart_from_a_strange_worker(rosters, run_id):
    assert await rosters.report(run_id, "a", IN_PROGRESS, NOON) is None


async def test_after_a_loss_every_worker_that_reports_is_taken_back(rosters, run_id):
    await rosters.adopt(run_id, "a", IN_PROGRESS, NOON)

    assert await rosters.report(run_id, "b", COMPLETED, NOON) is True

    roster = await rosters.get(run_id)
    assert {w.name: w.status for w in roster.workers} == {"a": IN_PROGRESS, "b": COMPLETED}


@pytest.mark.parametrize("name", ["wörker|1|2", "a b", "w:w:w", "🙂", "x" * 200])
async def test_any_name_comes_back_as_it_was(rosters, run_id, name):
    await rosters.register(run_id, name, NOON)

    roster = await rosters.get(run_id)
    assert (roster.workers[0].name, roster.master) == (name, name)


async def test_of_many_that_register_at_once_all_are_noted(rosters, run_id):
    await asyncio.gather(*(rosters.register(run_id, f"w{i}", NOON) for i in range(300)))

    assert len((await rosters.get(run_id)).workers) == 300


ONE, TWO = Caller("dotnet", "127.0.0.1:5001"), Caller("dotnet", "127.0.0.1:5002")


async def statuses(rosters, run_id):
    return {w.name: w.status for w in (await rosters.get(run_id)).workers}


async def test_two_that_register_one_id_over_two_connections_are_two_workers(rosters, run_id):
    for caller in (ONE, TWO):
        await rosters.register(run_id, "worker-1-1", NOON, caller)
        await rosters.report(run_id, "worker-1-1", IN_PROGRESS, NOON, caller)

    await rosters.report(run_id, "worker-1-1", COMPLETED, NOON, ONE)
    await rosters.report(run_id, "worker-1-1", COMPLETED, NOON, ONE)  # .NET says it twice

    namesake = TWO.namesake("worker-1-1")
    assert await statuses(rosters, run_id) == {"worker-1-1": COMPLETED, namesake: IN_PROGRESS}
    await rosters.report(run_id, "worker-1-1", COMPLETED, NOON, TWO)
    assert set((await statuses(rosters, run_id)).values()) == {COMPLETED}


async def test_of_two_namesakes_only_one_is_master(rosters, run_id):
    first = await rosters.register(run_id, "worker-1-1", NOON, ONE)
    await rosters.report(run_id, "worker-1-1", IN_PROGRESS, NOON, ONE)

    assert (first, await rosters.register(run_id, "worker-1-1", NOON, TWO)) == (MASTER, WORKER)


async def test_a_namesake_takes_over_from_one_that_has_not_begun(rosters, run_id):
    await rosters.register(run_id, "worker-1-1", NOON, ONE)
    _, mastership = await rosters.register(run_id, "worker-1-1", NOON, TWO)

    assert await rosters.take_over(run_id, "worker-1-1", mastership, NOON, TWO)
    assert (await rosters.get(run_id)).master == TWO.namesake("worker-1-1")


@pytest.mark.parametrize("again", [ONE, Caller("js"), Caller()])
async def test_a_registration_that_is_repeated_adds_nobody(rosters, run_id, again):
    await rosters.register(run_id, "a", NOON, ONE)
    await rosters.register(run_id, "a", NOON, again)

    assert await statuses(rosters, run_id) == {"a": REGISTERED}


async def test_an_id_whose_worker_has_completed_is_free_for_the_next(rosters, run_id):
    await rosters.register(run_id, "a", NOON, ONE)
    await rosters.report(run_id, "a", COMPLETED, NOON, ONE)

    await rosters.register(run_id, "a", NOON, TWO)

    assert await statuses(rosters, run_id) == {"a": REGISTERED}


async def test_a_worker_that_speaks_over_a_new_connection_is_still_the_same(rosters, run_id):
    await rosters.register(run_id, "a", NOON, ONE)

    assert await rosters.report(run_id, "a", COMPLETED, NOON, TWO)
    assert await statuses(rosters, run_id) == {"a": COMPLETED}


async def test_the_kind_of_a_worker_is_remembered(rosters, run_id):
    await rosters.register(run_id, "a", NOON, ONE)
    await rosters.register(run_id, "b", NOON)
    await rosters.report(run_id, "a", IN_PROGRESS, NOON)

    roster = await rosters.get(run_id)
    assert {w.name: w.kind for w in roster.workers} == {"a": "dotnet", "b": ""}
