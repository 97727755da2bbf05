"""The commands of TestSync's WebSocket, and what more our own clients may say."""

import asyncio
from dataclasses import dataclass, field

import pytest

from syncsvc.coordination.checkpoints.model import Ending, Policy
from syncsvc.coordination.testdata.memory import MemoryTestData
from syncsvc.errors import Conflict, Rejected, Unavailable
from tests.support.sockets import BINARY, CLOSE, START_AT, TEXT, Raw, frame, serving

WAIT = '{"command":"wait_checkpoint","content":{"identifier":"%s","target_count":%d%s}}'
LATE = b'{"command":"wait_checkpoint","identifier":"x","finished":true}'


@pytest.fixture
async def port():
    async with serving() as opened:
        yield opened


@pytest.fixture
async def client(port):
    return await Raw.upgraded(port)


async def test_data_that_is_absent_reads_as_nothing(client):
    client.say('{"command":"read_data","content":{}}')

    assert await client.hear() == (BINARY, b"")


async def test_data_is_read_as_it_was_written(client):
    client.say('{"command":"update_data","content": { "a" : [1, 2.50] } }')
    client.say('{"command":"read_data"}')

    assert await client.hear() == (BINARY, b'{ "a" : [1, 2.50] }')


async def test_the_others_of_a_test_read_the_same_data(port, client):
    client.say('{"command":"update_data","content":1}')
    assert await client.is_usable()
    same, other = await Raw.upgraded(port), await Raw.upgraded(port, "/register/2")
    same.say('{"command":"read_data"}')
    other.say('{"command":"read_data"}')

    assert (await same.hear(), await other.hear()) == ((BINARY, b"1"), (BINARY, b""))


async def test_connections_of_a_test_are_counted(port, client):
    await Raw.upgraded(port)
    await Raw.upgraded(port, "/register/2")
    client.say('{"command":"get_connection_count","content":{}}')

    assert await client.hear() == (
        TEXT,
        b'{"command":"get_connection_count","content":{"count":2}}',
    )


async def test_strictly_all_connections_that_ever_were_are_counted():
    async with serving(strict=True) as port:
        client, other = await Raw.upgraded(port), await Raw.upgraded(port)
        other.say('{"command":"close"}')
        assert await other.ended()
        client.say('{"command":"get_connection_count"}')

        assert (await client.told())["content"] == {"count": 2}


async def test_all_who_arrive_are_released_by_the_same_bytes(port):
    clients = [await Raw.upgraded(port) for _ in range(5)]
    for client in clients:
        client.say(WAIT % ("x<y", 5, ""))

    heard = [await client.hear() for client in clients]

    released = b'{"identifier":"x\\u003cy","finished":true,"start_at":%d}}' % START_AT
    assert heard == [(TEXT, b'{"command":"wait_checkpoint","content":' + released)] * 5


async def test_who_comes_late_passes_in_another_shape(client):
    client.say(WAIT % ("x", 1, ""))
    client.say(WAIT % ("x", 99, ""))

    await client.hear()
    assert await client.hear() == (
        TEXT,
        b'{"command":"wait_checkpoint","content":' + LATE + b"}",
    )


@pytest.mark.parametrize("content", ['{"identifier":"x"}', "null", '{"target_count":-3}'])
async def test_a_target_that_is_absent_or_negative_releases_at_once(client, content):
    client.say(f'{{"command":"wait_checkpoint","content":{content}}}')

    assert (await client.told())["content"]["finished"] is True


async def test_one_connection_that_arrives_twice_counts_twice(port, client):
    client.say(WAIT % ("x", 2, ""))
    client.say(WAIT % ("x", 2, ""))

    told = [await client.told() for _ in range(2)]

    assert told[0] == told[1]
    assert len({arrival.worker for arrival in port.meetings.arrived}) == 2


async def test_a_plain_arrival_is_lenient_and_ignores_deaths(port, client):
    client.say(WAIT % ("x", 2, ""))
    assert await client.is_usable()

    (arrival,) = port.meetings.arrived
    assert (arrival.run, arrival.lenient, arrival.terms.policy) == ("1", True, Policy.IGNORE)
    assert arrival.worker.startswith("~")


async def test_who_disconnects_is_reported_gone(port, client):
    client.say(WAIT % ("x", 2, ""))
    client.say('{"command":"close"}')
    assert await client.ended()

    assert port.meetings.lost == port.meetings.arrived


async def test_who_was_released_is_not_reported_gone(port, client):
    client.say(WAIT % ("x", 1, ""))
    client.say('{"command":"close"}')
    await client.hear()
    assert await client.ended()

    assert port.meetings.lost == []


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        (Ending.ABORTED, "checkpoint 'x': expected a release, found it aborted: why"),
        (Ending.BROKEN, "checkpoint 'x': expected a release, found it broken: why"),
        (Ending.LOST, "checkpoint 'x': expected a release, found it lost: why"),
    ],
)
async def test_a_plain_agent_is_never_left_waiting(port, client, ending, message):
    client.say(WAIT % ("x", 2, ""))
    assert await client.is_usable()
    port.meetings.end("1", "x", ending, "why")

    assert (await client.told())["content"] == {
        "command": "wait_checkpoint",
        "kind": "conflict",
        "message": message,
    }
    assert await client.hear() == (CLOSE, (1011).to_bytes(2) + message.encode())
    client.send(frame((1011).to_bytes(2), CLOSE))
    assert await client.ended()


async def test_a_plain_agent_that_wants_no_errors_is_closed_without_one(port):
    client = await Raw.upgraded(port, "/register/1?errors=0")
    client.say(WAIT % ("x", 2, ""))
    assert await client.is_usable()
    port.meetings.end("1", "x", Ending.ABORTED)

    assert (await client.hear())[0] == CLOSE


async def test_a_refusal_that_may_pass_ends_a_plain_agent(port, client):
    port.meetings.refusing = Unavailable("Redis is away")
    client.say(WAIT % ("x", 2, ""))

    assert (await client.told())["content"]["kind"] == "unavailable"
    assert await client.hear() == (CLOSE, (1011).to_bytes(2) + b"Redis is away")


async def test_a_refusal_for_good_leaves_the_connection_usable(port, client):
    port.meetings.refusing = Rejected("identifier: expected another")
    client.say(WAIT % ("x", 2, ""))

    assert (await client.told())["content"]["message"] == "identifier: expected another"
    assert await client.is_usable()


async def test_a_long_reason_is_cut_between_characters(port, client):
    port.meetings.refusing = Unavailable("x" + "é" * 100)
    client.say(WAIT % ("x", 2, ""))
    await client.hear()

    assert await client.hear() == (CLOSE, (1011).to_bytes(2) + b"x" + "é".encode() * 59)


EXTRAS = ',"worker":"w","timeout_seconds":9.5,"policy":"fail","cyclic":true,"generation":3'


async def test_a_worker_arrives_with_all_that_it_says(port, client):
    client.say(WAIT % ("x", 2, EXTRAS))
    assert await client.is_usable()

    (arrival,) = port.meetings.arrived
    assert (arrival.worker, arrival.lenient, arrival.generation) == ("w", False, 3)
    assert (arrival.terms.policy, arrival.terms.cyclic) == (Policy.FAIL, True)
    assert arrival.timeout.total_seconds() == 9.5


async def test_a_connections_worker_arrives_by_its_name(port):
    client = await Raw.upgraded(port, "/register/1?worker=w")
    client.say(WAIT % ("x", 1, ""))

    content = (await client.told())["content"]

    assert (port.meetings.arrived[0].worker, port.meetings.arrived[0].lenient) == ("w", False)
    assert content == {
        "identifier": "x",
        "finished": True,
        "start_at": START_AT,
        "outcome": "released",
        "generation": 1,
        "arrived": 1,
        "target": 1,
        "reason": None,
        "broken_by": [],
        "start_in_ms": 500,
    }


async def test_each_attempt_of_a_worker_has_its_own_session(port):
    client = await Raw.upgraded(port, "/register/1?worker=w")
    client.say(WAIT % ("x", 3, ""))
    client.say(WAIT % ("x", 3, ""))
    assert await client.is_usable()

    assert len({arrival.session for arrival in port.meetings.arrived}) == 2


async def test_a_worker_is_told_any_end_and_stays(port):
    client = await Raw.upgraded(port, "/runs/1?worker=w")
    client.say(WAIT % ("x", 2, ""))
    assert await client.is_usable()
    port.meetings.end("1", "x", Ending.TIMED_OUT, "too late")

    content = (await client.told())["content"]

    assert (content["finished"], content["outcome"], content["reason"]) == (
        False,
        "timed_out",
        "too late",
    )
    assert await client.is_usable()


async def test_a_worker_that_is_refused_stays(port):
    client = await Raw.upgraded(port, "/runs/1?worker=w")
    port.meetings.refusing = Conflict("target: expected 3, found 2")
    client.say(WAIT % ("x", 2, ""))

    assert (await client.told())["content"]["kind"] == "conflict"
    assert await client.is_usable()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (("x", 0, EXTRAS), "target_count: expected 1 to 1000000, found 0"),
        (("x", 9**15, EXTRAS), "target_count: expected 1 to 1000000, found 205891132094649"),
        (("", 1, EXTRAS), "identifier: expected a name, found an empty one"),
        (("x", 1, ',"worker":""'), "worker: expected a name, found an empty one"),
        (
            ("x", 1, ',"timeout_seconds":0'),
            "timeout_seconds: expected more than 0 and at most 3600, found 0",
        ),
    ],
)
async def test_what_a_worker_says_is_checked_by_its_field(client, content, message):
    client.say(WAIT % content)

    assert (await client.told())["content"]["message"] == message
    assert await client.is_usable()


@dataclass
class SlowData(MemoryTestData):
    """Data that is stored and read when the test lets it."""

    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def replace(self, run, content, at):
        await self.free.wait()
        await super().replace(run, content, at)

    async def read(self, run):
        await self.free.wait()
        return await super().read(run)


async def test_what_follows_an_update_waits_for_it():
    data = SlowData()
    async with serving(data=data) as port:
        client, other = await Raw.upgraded(port), await Raw.upgraded(port)
        client.say('{"command":"update_data","content":1}')
        client.say(WAIT % ("x", 1, ""))
        client.say('{"command":"read_data"}')
        client.say('{"command":"get_connection_count"}')
        assert await other.is_usable()
        assert port.meetings.arrived == []

        data.free.set()

        assert (await client.told())["command"] == "wait_checkpoint"
        assert await client.hear() == (BINARY, b"1")
        assert (await client.told())["command"] == "get_connection_count"


async def test_an_update_is_stored_though_its_agent_leaves():
    data = SlowData()
    async with serving(data=data) as port:
        client, other = await Raw.upgraded(port), await Raw.upgraded(port)
        client.say('{"command":"update_data","content":1}')
        client.say(WAIT % ("x", 2, ""))
        client.say('{"command":"update_data","content":2}')
        client.say('{"command":"read_data"}')
        client.send(frame(b"", CLOSE))
        await client.hear()
        assert await client.ended()
        data.free.set()
        other.say('{"command":"update_data","content":3}')
        other.say('{"command":"read_data"}')

        assert await other.hear() == (BINARY, b"3")
        assert port.meetings.lost == port.meetings.arrived != []


async def test_an_agent_that_says_more_than_is_done_is_not_read_until_it_is():
    data = SlowData()
    async with serving(data=data) as port:
        client = await Raw.upgraded(port)
        client.send(frame(b'{"command":"update_data","content":1}') * 3000)
        client.say('{"command":"read_data"}')
        await client.writer.drain()
        data.free.set()

        assert await client.hear() == (BINARY, b"1")


@dataclass
class BrokenData(MemoryTestData):
    error: Exception = field(default_factory=lambda: Unavailable("the database is away"))

    async def replace(self, run, content, at):
        raise self.error

    async def read(self, run):
        raise self.error


@pytest.mark.parametrize("command", ["update_data", "read_data"])
async def test_data_that_cannot_be_reached_is_told(command):
    async with serving(data=BrokenData()) as port:
        client = await Raw.upgraded(port)
        client.say(f'{{"command":"{command}","content":1}}')

        assert (await client.told())["content"] == {
            "command": command,
            "kind": "unavailable",
            "message": "the database is away",
        }
        assert await client.is_usable()


async def test_a_failure_of_ours_ends_the_connection():
    async with serving(data=BrokenData(error=ValueError("a bug"))) as port:
        client = await Raw.upgraded(port)
        client.say('{"command":"read_data"}')

        assert await client.hear() == (CLOSE, (1011).to_bytes(2) + b"we failed unexpectedly")
