"""What the workers of a run leave for each other: counts, signals, topics, data, presence."""

import asyncio

import pytest

from syncsvc.client import TimedOut
from syncsvc.client.topics import Entry
from syncsvc.errors import Conflict, Rejected, Unknown


async def test_a_counter_is_shared_and_waited_for(run, other, server):
    waiting = asyncio.create_task(run.counter("ready").wait(at_least=3))
    await server.until_asked("counter.wait")

    await other.counter("ready").add(3)

    assert await waiting == 3
    assert await run.counter("ready").add(-1) == 2


async def test_a_counter_that_stays_too_small_is_told(run):
    with pytest.raises(TimedOut, match="counter 'ready': expected at least 2, found 0"):
        await run.counter("ready").wait(2, timeout=0)


async def test_a_long_wait_is_several_calls(run, server, clock):
    waiting = asyncio.create_task(run.counter("ready").wait(1, timeout=100))
    await server.until_asked("counter.wait")
    (first,) = server.commands("counter.wait")
    clock.now += 60
    line = server.lines[0]
    line.say("counter.wait", {"name": "ready", "value": 0, "reached": False}, server.asked[0].id)
    await server.until_asked("counter.wait", 2)

    assert [asked["wait_seconds"] for asked in server.commands("counter.wait")] == [60, 40]
    assert first["at_least"] == 1
    waiting.cancel()


async def test_workers_that_send_and_wait_go_on_together(run, other):
    places = await asyncio.gather(
        run.signal("ready").send_and_wait(2), other.signal("ready").send_and_wait(2)
    )

    assert sorted(places) == [1, 2]


async def test_a_signal_is_sent_once_however_long_one_waits(run, server, clock):
    waiting = asyncio.create_task(run.signal("ready").send_and_wait(2, timeout=100))
    await server.until_asked("signal.send_and_wait")
    clock.now += 60
    answer = {"name": "ready", "seq": 1, "count": 1, "reached": False}
    server.lines[0].say("signal.send_and_wait", answer, server.asked[0].id)
    await server.until_asked("signal.wait")

    await run.signal("ready").send()

    assert await waiting == 1
    assert len(server.commands("signal.send_and_wait")) == 1


async def test_a_signal_that_is_not_sent_often_enough_is_told(run):
    with pytest.raises(TimedOut, match="signal 'ready': expected 2, found 1"):
        await run.signal("ready").send_and_wait(2, timeout=0)


async def test_a_topic_is_read_from_any_place_and_followed(run, other, server):
    topic = run.topic("log")
    for payload in ({"n": 1}, None, "three"):
        await topic.publish(payload)

    entries = other.topic("log").read(after=1)
    seen = [await anext(entries), await anext(entries)]
    coming = asyncio.create_task(anext(entries))
    await server.until_asked("topic.read", 2)
    await topic.publish("four")

    assert [(entry.offset, entry.payload) for entry in seen] == [(2, None), (3, "three")]
    assert (await coming).payload == "four"


async def test_reading_without_following_ends_with_the_last_entry(run):
    for n in range(150):
        await run.topic("log").publish(n)

    entries = [entry async for entry in run.topic("log").read(follow=False)]

    assert [entry.payload for entry in entries] == list(range(150))
    assert isinstance(entries[0], Entry)
    assert (await run.topic("log").page(after=149)).next == 150


async def test_data_is_put_and_got_with_its_version_and_writer(run, other):
    version = await run.data.put("shop/url", {"port": 80})

    item = await other.data.get("shop/url")

    assert (item.value, item.version, item.worker) == ({"port": 80}, version, "w1")


async def test_null_is_a_value(run):
    await run.data.put("nothing", None)

    assert (await run.data.get("nothing")).value is None


async def test_of_two_who_write_at_one_version_one_is_told_of_the_conflict(run, other):
    version = await run.data.put_if("leader", "a", 0)

    with pytest.raises(Conflict):
        await other.data.put_if("leader", "b", 0)

    assert await other.data.put_if("leader", "b", version) > version


async def test_deleted_data_is_unknown_and_its_version_goes_on(run):
    version = await run.data.put("key", 1)

    gone = await run.data.delete("key", version=version)

    assert gone > version
    with pytest.raises(Unknown):
        await run.data.get("key")


async def test_names_are_listed_over_many_pages(run):
    names = [f"a/{n}" for n in range(5)]
    for name in (*names, "b"):
        await run.data.put(name, 1)

    page = await run.data.page("a/", limit=2)
    listed = await run.data.list("a/")

    assert (page.next, [each.name for each in page.entries]) == ("a/1", names[:2])
    assert [each.name for each in listed] == names


async def test_more_names_than_a_page_has_are_listed_all_the_same(run, server):
    pages = [
        {"entries": [{"name": "a", "version": 1, "worker": None}], "next": "a"},
        {"entries": [{"name": "b", "version": 2, "worker": None}], "next": None},
    ]
    line = server.lines[0]
    line.take = lambda asked: line.say("data.list", pages.pop(0), asked.id)

    assert [each.name for each in await run.data.list()] == ["a", "b"]


async def test_a_watch_gives_what_becomes_of_a_name(run, other, server):
    await run.data.put("key", 1)
    changes = other.data.watch("key")

    first = await anext(changes)
    coming = asyncio.create_task(anext(changes))
    await server.until_asked("data.watch", 2)
    await run.data.delete("key")
    second = await coming

    assert (first.value, first.deleted) == (1, False)
    assert (second.value, second.deleted) == (None, True)


async def test_what_json_lacks_is_refused_here(run):
    with pytest.raises(Rejected, match="value: expected a value that JSON has"):
        await run.data.put("key", object())


async def test_a_worker_is_present_inside_its_block(run, other):
    async with run.presence({"role": "driver"}):
        (present,) = await other.workers()

    assert (present.worker, present.about) == ("w1", {"role": "driver"})
    assert await other.workers() == ()


async def test_who_comes_and_goes_is_watched(run, other):
    seen = other.watch_workers()
    counts = [len(await anext(seen))]
    async with run.presence():
        counts.append(len(await anext(seen)))
    counts.append(len(await anext(seen)))

    assert counts == [0, 1, 0]


async def test_a_worker_that_was_taken_for_gone_joins_again(run, server):
    async with run.presence(ttl=0.6):
        await server.until_asked("presence.beat")
        await (
            server.lines[0]
            ._server.operations["presence.leave"]
            .perform(server.lines[0]._caller, b"{}")
        )
        await server.until_asked("presence.join", 2)

        assert [present.worker for present in await run.workers()] == ["w1"]


async def test_a_beat_that_is_lost_is_followed_by_the_next(run, server):
    beat = server.operations.pop("presence.beat")
    line, take = server.lines[0], server.lines[0].take
    refusal = {"command": "presence.beat", "kind": "unavailable", "message": "soon"}

    def refuse(asked):
        server.operations["presence.beat"] = beat
        line.take = take
        line.say("error", refusal, asked.id)

    async with run.presence(ttl=3):  # by the server's real clock: a beat may come late
        line.take = refuse
        await server.until_asked("presence.beat")

        assert len(await run.workers()) == 1


async def test_a_wait_of_less_than_nothing_is_refused(run):
    with pytest.raises(Rejected, match="timeout: expected seconds, 0 or more, found -1"):
        await run.counter("n").wait(1, timeout=-1)
