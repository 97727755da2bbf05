"""What was asked is answered, whatever happens to the connection."""

import asyncio

import pytest

from syncsvc.client import NotReachable, Refused, TimedOut
from syncsvc.client.run import Run
from syncsvc.client.session import Session
from syncsvc.client.tempo import Tempo
from syncsvc.errors import Conflict, Rejected, Unavailable, Unknown


async def test_calls_run_side_by_side_over_one_connection(run, server):
    waiting = asyncio.create_task(run.signal("go").wait())
    await server.until_asked("signal.wait")

    await run.signal("go").send()

    assert await waiting == 1
    assert len(server.lines) == 1


async def test_a_call_under_way_is_asked_again_after_the_connection_was_lost(run, server):
    waiting = asyncio.create_task(run.signal("go").wait())
    await server.until_asked("signal.wait")

    server.cut()
    await server.until_asked("signal.wait", 2)
    await run.signal("go").send()

    assert await waiting == 1


async def test_a_wait_that_is_asked_again_has_only_what_is_left_of_it(run, server, clock):
    waiting = asyncio.create_task(run.signal("go").wait(timeout=30))
    await server.until_asked("signal.wait")

    clock.now += 10
    server.cut()
    await server.until_asked("signal.wait", 2)

    first, second = server.commands("signal.wait")
    assert first["wait_seconds"] == 30
    assert 19 <= second["wait_seconds"] <= 20
    waiting.cancel()


async def test_adding_is_done_once_though_its_answer_was_lost(run, server):
    line = server.lines[0]
    line.say = lambda *_: server.cut()  # the answer never arrives

    value = await run.counter("n").add(2)

    assert (value, await run.counter("n").get()) == (2, 2)
    first, second = server.commands("counter.add")
    assert first["request"] == second["request"]


async def test_a_server_that_asks_us_to_come_back_is_asked_again_at_once(run, server, clock):
    waiting = asyncio.create_task(run.signal("go").wait())
    await server.until_asked("signal.wait")

    server.lines[0].say("reconnect", {"reason": "it restarts"})
    await server.until_asked("signal.wait", 2)

    assert clock.pauses == []
    waiting.cancel()


async def test_pauses_between_attempts_grow_up_to_a_limit_and_depend_on_chance():
    delays = Tempo(chance=lambda: 0.5).delays()

    pauses = [next(delays) for _ in range(8)]

    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.5, 2.5]


async def test_a_server_that_stays_away_ends_what_is_under_way_as_not_reachable(run, server, clock):
    waiting = asyncio.create_task(run.signal("go").wait(timeout=3600))
    await server.until_asked("signal.wait")

    server.open = False
    server.cut()

    with pytest.raises(NotReachable, match="no server within 60 s: nobody listens"):
        await waiting
    assert 50 < sum(clock.pauses) <= 60


async def test_a_server_that_comes_back_later_is_found_by_the_next_call(run, server):
    server.open = False
    server.cut()
    with pytest.raises(NotReachable):
        await run.counter("n").get()

    server.open = True

    assert await run.counter("n").get() == 0


async def test_a_first_connection_has_its_own_patience(server, tempo, clock):
    server.open = False

    with pytest.raises(NotReachable, match="within 10 s"):
        await Run("r1", Session(server.open_link, "w1", tempo)).open()

    assert sum(clock.pauses) <= 10


async def test_a_refusal_is_not_tried_again(tempo, clock):
    async def refuse(_worker: str):
        raise Refused("set a password")

    with pytest.raises(Refused, match="set a password"):
        await Run("r1", Session(refuse, "w1", tempo)).open()

    assert clock.pauses == []


async def test_giving_up_a_call_tells_the_server(run, server):
    waiting = asyncio.create_task(run.signal("go").wait())
    await server.until_asked("signal.wait")

    waiting.cancel()
    await server.until_asked("cancel")

    (asked,) = [asked for asked in server.asked if asked.command == "signal.wait"]
    assert [said.id for said in server.asked if said.command == "cancel"] == [asked.id]


async def test_a_server_that_never_answers_is_not_waited_for_for_ever(run, server, monkeypatch):
    monkeypatch.setattr("syncsvc.client.session.MARGIN", 0.01)
    server.lines[0].take = server.note

    with pytest.raises(TimedOut, match=r"counter\.wait: no answer within 0\.01 s"):
        await run.counter("n").wait(1, timeout=0)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rejected", Rejected),
        ("unknown", Unknown),
        ("conflict", Conflict),
        ("unavailable", Unavailable),
    ],
)
async def test_an_error_has_its_class_and_the_words_of_the_server(run, server, kind, error):
    line = server.lines[0]
    refusal = {"command": "counter.get", "kind": kind, "message": "n: expected less"}
    line.take = lambda asked: line.say("error", refusal, asked.id)

    with pytest.raises(error, match="n: expected less") as raised:
        await run.counter("n").get()

    assert type(raised.value) is error


async def test_a_server_that_is_not_ours_is_said_to_be_so(run, server):
    line = server.lines[0]
    line.take = lambda _: line._to_client.put_nowait("<html>")

    with pytest.raises(Unavailable, match="do not understand: '<html>'"):
        await run.counter("n").get()


async def test_closing_ends_what_is_under_way(server, tempo):
    run = Run("r1", Session(server.open_link, "w1", tempo))
    await run.open()
    waiting = asyncio.create_task(run.signal("go").wait())
    await server.until_asked("signal.wait")

    await run.close()

    with pytest.raises(NotReachable, match="closed"):
        await waiting


async def test_a_run_that_begins_anew_in_a_child_leaves_the_parents_connection_alone(run, server):
    await run.counter("n").get()
    (parents,) = server.lines

    run.begin_anew("child")
    value = await run.counter("n").add()

    assert (parents.abandoned, run.worker, value) == (True, "child", 1)
    assert [line._caller.worker for line in server.lines] == ["w1", "child"]


async def test_an_answer_without_an_id_goes_to_who_waits_longest_and_is_not_given_up_for(
    run, server
):
    line = server.lines[0]
    line.take = server.note
    gone = asyncio.create_task(run.test_data.read())
    waiting = asyncio.create_task(run.test_data.read())
    await server.until_asked("read_data", 2)

    gone.cancel()
    await asyncio.wait([gone])
    line._to_client.put_nowait(b"first")
    line._to_client.put_nowait(b"second")

    assert await waiting == b"second"


async def test_test_data_is_stored_when_its_update_returns(run, server):
    await run.test_data.update({"a": [1, None]})

    assert server.test_data == b'{"a":[1,null]}'
    assert await run.test_data.read() == server.test_data
    assert await run.test_data.connections() == 1


async def test_test_data_that_is_refused_says_why(run, server):
    line, take = server.lines[0], server.lines[0].take

    def refuse(asked):
        if asked.command == "update_data":
            refusal = {"command": "update_data", "kind": "rejected", "message": "too late"}
            line.say("error", refusal, asked.id)
        else:
            take(asked)

    line.take = refuse

    with pytest.raises(Rejected, match="too late"):
        await run.test_data.update(1)

    assert await run.test_data.read() == b""


async def test_test_data_that_cannot_be_read_says_why(run, server):
    line = server.lines[0]
    refusal = {"command": "read_data", "kind": "unavailable", "message": "no database"}
    line.take = lambda _: line.say("error", refusal)

    with pytest.raises(Unavailable, match="no database"):
        await run.test_data.read()


async def test_a_wait_goes_on_while_the_server_cannot_serve(run, server, clock):
    line, take = server.lines[0], server.lines[0].take
    refusal = {"command": "signal.wait", "kind": "unavailable", "message": "the store restarts"}

    def refuse(asked):
        server.note(asked)
        line.take = take
        line.say("error", refusal, asked.id)

    await run.signal("go").send()
    line.take = refuse

    assert await run.signal("go").wait(timeout=30) == 1
    assert clock.pauses == [0.1]
    assert [asked["wait_seconds"] for asked in server.commands("signal.wait")] == [30, 29.9]


async def test_a_server_that_cannot_serve_for_a_whole_wait_says_so(run, server):
    line = server.lines[0]
    refusal = {"command": "signal.wait", "kind": "unavailable", "message": "the store is away"}
    line.take = lambda asked: line.say("error", refusal, asked.id)

    with pytest.raises(Unavailable, match="the store is away"):
        await run.signal("go").wait(timeout=30)
