"""What every home of presence promises."""

import asyncio
from datetime import timedelta

import pytest

from syncsvc.coordination.presence.model import Arriving
from syncsvc.coordination.presence.service import PresenceService
from syncsvc.coordination.waiting import LOOK_AGAIN
from syncsvc.errors import TooLarge, Unknown
from tests.contract.coordination_homes import LIFE, open_home
from tests.support.builders import SECOND

SOON = LOOK_AGAIN - 0.5  # seconds; whoever is not woken up would find it by itself a little later
LONG = 60.0  # seconds that no test waits


@pytest.fixture(params=["memory", "redis"])
async def home(request):
    async with open_home(request.param, lambda: request.getfixturevalue("valkey_url")) as home:
        yield home


@pytest.fixture
def presence(home):
    return PresenceService(home.attendances(), home.signals)


def arriving(worker="a", lasts=15 * SECOND, about="null") -> Arriving:
    return Arriving(worker, lasts, about)


async def version(presence, run) -> int:
    return (await presence.list(run, None, 0)).version


async def test_nobody_is_there_at_first(presence, run_id):
    found = await presence.list(run_id, None, 0)

    assert (found.version, found.workers) == (0, ())


async def test_those_who_joined_are_listed_by_name_with_what_they_say(presence, run_id):
    for worker in ("wörker|2", "a b", "🙂"):
        await presence.join(run_id, arriving(worker, about='{"host": "x|y\\n"}'))

    found = await presence.list(run_id, None, 0)

    assert [each.worker for each in found.workers] == ["a b", "wörker|2", "🙂"]
    assert {each.about for each in found.workers} == {'{"host": "x|y\\n"}'}
    assert await presence.names(run_id) == ["a b", "wörker|2", "🙂"]


async def test_joining_again_renews_and_changes_nothing_else(home, presence, run_id):
    first = await presence.join(run_id, arriving())
    (before,) = (await presence.list(run_id, None, 0)).workers
    home.pass_(10 * SECOND)

    assert await presence.join(run_id, arriving()) == first

    home.pass_(10 * SECOND)
    assert (await presence.list(run_id, None, 0)).workers == (before,)


async def test_saying_something_else_about_oneself_is_a_change(presence, run_id):
    first = await presence.join(run_id, arriving(about="1"))

    assert await presence.join(run_id, arriving(about="2")) > first


async def test_the_version_grows_with_everyone_who_comes_leaves_or_is_missed(
    home, presence, run_id
):
    versions = [await version(presence, run_id)]
    versions.append(await presence.join(run_id, arriving("a")))
    versions.append(await presence.join(run_id, arriving("b", lasts=5 * SECOND)))
    versions.append(await presence.leave(run_id, "a"))
    home.pass_(6 * SECOND)
    versions.append(await version(presence, run_id))

    assert versions == sorted(set(versions))
    assert await presence.names(run_id) == []


async def test_leaving_twice_is_one_change(presence, run_id):
    await presence.join(run_id, arriving())

    assert await presence.leave(run_id, "a") == await presence.leave(run_id, "a")


async def test_who_beats_stays(home, presence, run_id):
    await presence.join(run_id, arriving("a", lasts=10 * SECOND))
    await presence.join(run_id, arriving("b", lasts=10 * SECOND))

    for _ in range(3):
        home.pass_(8 * SECOND)
        await presence.beat(run_id, "a")

    assert await presence.names(run_id) == ["a"]


async def test_a_beat_of_one_who_is_not_there_says_to_join(home, presence, run_id):
    with pytest.raises(Unknown, match=r"worker: .* 'a'; join first"):
        await presence.beat(run_id, "a")
    await presence.join(run_id, arriving())
    home.pass_(16 * SECOND)

    with pytest.raises(Unknown, match="join first"):
        await presence.beat(run_id, "a")


async def test_a_beat_for_many_renews_all_and_names_the_strangers(home, presence, run_id):
    workers = [f"w{i:04d}" for i in range(1100)]
    await asyncio.gather(*(presence.join(run_id, arriving(worker)) for worker in workers))
    await presence.leave(run_id, workers[7])
    home.pass_(10 * SECOND)

    strangers = await presence.beat_all(run_id, [*workers, "stranger"])

    home.pass_(10 * SECOND)
    assert list(strangers) == [workers[7], "stranger"]
    assert len(await presence.names(run_id)) == 1099
    assert list(await presence.beat_all(run_id, [])) == []


async def test_a_list_of_another_version_is_given_at_once(presence, run_id):
    known = await presence.join(run_id, arriving())

    assert (await presence.list(run_id, 0, 4)).version == known
    assert (await presence.list(run_id, known + 100, 4)).version == known


async def test_a_list_that_waits_in_vain_is_given_all_the_same(presence, run_id):
    known = await presence.join(run_id, arriving())

    found = await presence.list(run_id, known, 0.01)

    assert [each.worker for each in found.workers] == ["a"]


async def test_waiting_lists_are_given_when_somebody_comes(presence, run_id):
    waiting = [asyncio.create_task(presence.list(run_id, 0, LONG)) for _ in range(50)]

    await presence.join(run_id, arriving())

    async with asyncio.timeout(SOON):
        lists = await asyncio.gather(*waiting)
    assert {found.workers[0].worker for found in lists} == {"a"}


async def test_waiting_lists_are_given_when_somebody_is_missed(presence, run_id):
    known = await presence.join(run_id, arriving(lasts=timedelta(milliseconds=50)))

    async with asyncio.timeout(SOON):
        found = await presence.list(run_id, known, LONG)

    assert found.workers == ()


async def test_presence_outlives_a_silent_time_of_the_run(home, presence, run_id):
    known = await presence.join(run_id, arriving())
    home.pass_(LIFE)

    assert await version(presence, run_id) > known


async def test_what_a_worker_says_about_itself_has_a_limit(presence, run_id):
    with pytest.raises(TooLarge, match="about: expected at most 4096 bytes"):
        await presence.join(run_id, arriving(about=f'"{"x" * 4095}"'))


async def test_presence_in_other_runs_is_another(presence, run_id):
    await presence.join(run_id, arriving())

    assert await presence.names(run_id + "2") == []
