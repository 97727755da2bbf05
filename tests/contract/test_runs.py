"""What every home of runs promises."""

from dataclasses import replace

from syncsvc.runs.model import Destination
from tests.support.builders import MINUTE, NOON, run


async def test_a_run_comes_back_as_it_was_put(runs):
    await runs.put(run("a"))

    assert await runs.get("a") == run("a")
    assert await runs.get("b") is None


async def test_a_run_without_a_token_of_its_own_has_none(runs):
    await runs.put(run("a", token=None))

    assert (await runs.get("a")).destination.token is None


async def test_base_url_and_token_change_together(runs):
    await runs.put(run("a"))
    moved = Destination("https://other.example", "other token")

    await runs.put(replace(run("a"), destination=moved, created_at=NOON + MINUTE))

    found = await runs.get("a")
    assert (found.destination, found.created_at) == (moved, NOON)


async def test_the_number_of_results_is_kept_with_its_moment(runs):
    await runs.put(run("a"))

    await runs.count(run("a").counting(7, NOON))

    found = await runs.get("a")
    assert (found.result_count, found.counted_at) == (7, NOON)


async def test_the_newest_runs_come_first(runs):
    for number in range(3):
        await runs.put(replace(run(f"r{number}"), created_at=NOON + number * MINUTE))

    assert [found.id for found in await runs.newest(2)] == ["r2", "r1"]


async def test_a_run_that_closed_early_is_noted_once_with_its_moment(runs):
    await runs.put(run("a"))
    before = await runs.count_closed_early()

    assert await runs.closed_early("a", NOON)
    assert not await runs.closed_early("a", NOON + MINUTE)

    assert (await runs.get("a")).closed_early_at == NOON
    assert await runs.count_closed_early() == before + 1


async def test_a_worker_that_registers_again_leaves_that_note_alone(runs):
    await runs.put(run("a"))
    await runs.closed_early("a", NOON)

    await runs.put(run("a", token="renewed"))

    assert (await runs.get("a")).closed_early_at == NOON
