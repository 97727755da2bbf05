"""What every home of topics promises."""

import asyncio
import statistics
import time

import pytest

from syncsvc.coordination.once import RETRIED, Once
from syncsvc.coordination.topics.model import LARGEST_READ, Batch, Place
from syncsvc.coordination.topics.service import TopicService
from syncsvc.coordination.waiting import LOOK_AGAIN
from syncsvc.errors import TooLarge
from tests.contract.coordination_homes import open_home

SOON = LOOK_AGAIN - 0.5  # seconds; whoever is not woken up would find it by itself a little later
LONG = 60.0  # seconds that no test waits


@pytest.fixture(params=["memory", "redis"])
async def home(request):
    async with open_home(request.param, lambda: request.getfixturevalue("valkey_url")) as home:
        yield home


@pytest.fixture
def topics(home):
    return TopicService(home.topics(), home.signals)


async def read(topics, run, after=0, *, limit=100, seconds=0.0) -> Batch:
    return await topics.read(Place(run, "t", after, limit), seconds)


def offsets(batch: Batch) -> list[int]:
    return [entry.offset for entry in batch.entries]


async def test_offsets_are_counted_from_1(topics, run_id):
    assert [await topics.publish(run_id, "t", "{}") for _ in range(3)] == [1, 2, 3]


async def test_what_was_published_is_read_in_order_and_as_it_was(topics, run_id):
    payloads = ['{"a": 1}', '"ä🙂"', "null", "[1,  2]"]
    for payload in payloads:
        await topics.publish(run_id, "t", payload)

    batch = await read(topics, run_id)

    assert [entry.payload for entry in batch.entries] == payloads
    assert offsets(batch) == [1, 2, 3, 4]
    assert batch.oldest == 1


async def test_moments_do_not_go_back(topics, run_id):
    for _ in range(3):
        await topics.publish(run_id, "t", "1")

    moments = [entry.at for entry in (await read(topics, run_id)).entries]

    assert moments == sorted(moments)


async def test_a_topic_is_read_from_any_offset_in_parts(topics, run_id):
    for _ in range(40):
        await topics.publish(run_id, "t", "1")

    assert offsets(await read(topics, run_id, 3, limit=2)) == [4, 5]
    assert offsets(await read(topics, run_id, 5, limit=20)) == list(range(6, 26))
    assert offsets(await read(topics, run_id, 39)) == [40]
    assert offsets(await read(topics, run_id, 40)) == []


async def test_an_empty_topic_has_nothing_and_would_begin_with_1(topics, run_id):
    assert await read(topics, run_id) == Batch((), 1)


async def test_a_gap_is_visible_when_old_entries_were_dropped(home, run_id):
    topics = TopicService(home.topics(most_entries=3), home.signals)
    for _ in range(10):
        await topics.publish(run_id, "t", "1")

    batch = await read(topics, run_id, 2)

    assert (offsets(batch), batch.oldest) == ([8, 9, 10], 8)


async def test_a_repeated_request_publishes_once(topics, run_id):
    first = await topics.publish(run_id, "t", "1", "request")
    await topics.publish(run_id, "t", "2")

    assert await topics.publish(run_id, "t", "1", "request") == first
    assert offsets(await read(topics, run_id)) == [1, 2]


async def test_a_script_that_a_connection_repeats_publishes_once(home, run_id):
    store, once = home.topics(), Once("id", RETRIED)

    assert [await store.publish(run_id, "t", "1", once) for _ in range(3)] == [1, 1, 1]


async def test_of_many_that_publish_at_once_none_is_lost(topics, run_id):
    published = await asyncio.gather(*(topics.publish(run_id, "t", "1") for _ in range(90)))

    assert sorted(published) == offsets(await read(topics, run_id)) == list(range(1, 91))


async def test_a_reader_that_waits_in_vain_gets_nothing(topics, run_id):
    assert offsets(await read(topics, run_id, seconds=0.01)) == []


async def test_readers_that_wait_are_woken_with_what_they_miss(topics, run_id):
    await topics.publish(run_id, "t", "1")
    waiting = [asyncio.create_task(read(topics, run_id, 1, seconds=LONG)) for _ in range(300)]

    await topics.publish(run_id, "t", "2")

    async with asyncio.timeout(SOON):
        batches = await asyncio.gather(*waiting)
    assert {tuple(offsets(batch)) for batch in batches} == {(2,)}


async def test_a_reader_that_has_read_more_than_there_is_begins_again(topics, run_id):
    await topics.publish(run_id, "t", "1")

    assert offsets(await read(topics, run_id, 500)) == [1]


async def test_a_payload_has_a_limit(topics, run_id):
    await topics.publish(run_id, "t", f'"{"x" * (256 * 1024 - 2)}"')

    with pytest.raises(TooLarge, match="payload: expected at most 262144 bytes"):
        await topics.publish(run_id, "t", f'"{"x" * (256 * 1024 - 1)}"')


async def test_one_read_gives_no_more_than_its_limit_of_bytes(topics, run_id):
    for _ in range(9):
        await topics.publish(run_id, "t", f'"{"x" * (200 * 1024)}"')

    batch = await read(topics, run_id)

    assert 0 < sum(len(entry.payload) for entry in batch.entries) <= LARGEST_READ
    assert offsets(batch) == [1, 2, 3, 4, 5]


async def test_topics_of_other_names_and_runs_are_others(topics, run_id):
    await topics.publish(run_id, "t", "1")

    assert await topics.publish(run_id, "u", "1") == 1
    assert await topics.publish(run_id + "2", "t", "1") == 1


@pytest.mark.alone
async def test_what_is_published_reaches_a_waiting_reader_soon(topics, run_id):
    took = []
    for after in range(30):
        waiting = asyncio.create_task(read(topics, run_id, after, seconds=4))
        await read(topics, run_id, 10_000 + after)  # by now the reader has looked and waits
        started = time.perf_counter()
        await topics.publish(run_id, "t", "1")
        await waiting
        took.append(time.perf_counter() - started)

    assert statistics.median(took) < 0.005
