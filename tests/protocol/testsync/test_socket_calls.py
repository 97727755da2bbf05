"""Calls of operations over the WebSocket: side by side, each under its own id."""

import asyncio

import pytest

from syncsvc.coordination.operations.operation import Caller, Operation, Reply, Request, table
from syncsvc.errors import Conflict
from tests.support.sockets import Raw, serving


class Say(Request, frozen=True):
    word: str


class Said(Reply, frozen=True):
    word: str
    run: str
    worker: str | None


async def say(caller: Caller, request: Say) -> Said:
    return Said(request.word, caller.run, caller.worker)


class Nothing(Request, frozen=True):
    pass


class Sleeper:
    """An operation that waits until it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.given_up = asyncio.Semaphore(0)
        self.free = asyncio.Event()

    async def sleep(self, _: Caller, __: Nothing) -> Said:
        self.begun += 1
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.given_up.release()
            raise
        return Said("awake", "", None)


async def conflict(_: Caller, __: Nothing) -> Said:
    raise Conflict("held by another")


async def fail(_: Caller, __: Nothing) -> Said:
    raise ValueError("a bug")


@pytest.fixture
def sleeper():
    return Sleeper()


@pytest.fixture
async def port(sleeper):
    operations = table(
        Operation("word.say", "Says a word.", Say, Said, say),
        Operation("word.sleep", "Waits.", Nothing, Said, sleeper.sleep),
        Operation("word.conflict", "Conflicts.", Nothing, Said, conflict),
        Operation("word.fail", "Fails.", Nothing, Said, fail),
    )
    async with serving(operations=operations) as opened:
        yield opened


@pytest.fixture
async def client(port):
    return await Raw.upgraded(port, "/runs/nightly?worker=w")


async def test_a_call_is_answered_under_its_id(client):
    client.say('{"command":"word.say","id":7,"content":{"word":"hello"}}')

    assert await client.told() == {
        "command": "word.say",
        "id": 7,
        "content": {"word": "hello", "run": "nightly", "worker": "w"},
    }


async def test_a_call_without_an_id_is_answered_without_one(client):
    client.say('{"command":"word.say","content":{"word":"hello"}}')

    assert set(await client.told()) == {"command", "content"}


async def test_a_test_id_is_a_run_for_calls_too(port):
    client = await Raw.upgraded(port, "/register/042")
    client.say('{"command":"word.say","id":1,"content":{"word":"hello"}}')

    assert (await client.told())["content"] == {"word": "hello", "run": "42", "worker": None}


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        ('"word.say","content":{}', "rejected", "word: expected a value, found none"),
        ('"word.say"', "rejected", "word: expected a value, found none"),
        ('"word.conflict"', "conflict", "held by another"),
        ('"word.shout"', "unknown", "command: expected one that exists, found 'word.shout'"),
        ('"word.fail"', "unavailable", "we failed unexpectedly; our log says how"),
    ],
)
async def test_what_cannot_be_done_is_told_under_its_id(client, call, kind, message):
    client.say(f'{{"command":{call},"id":"a"}}')

    told = await client.told()

    command = call.split('"')[1]
    assert (told["command"], told["id"]) == ("error", "a")
    assert told["content"] == {"command": command, "kind": kind, "message": message}
    assert await client.is_usable()


async def test_calls_run_side_by_side(client, sleeper):
    client.say('{"command":"word.sleep","id":1}')
    client.say('{"command":"word.say","id":2,"content":{"word":"hello"}}')
    first = await client.told()
    sleeper.free.set()
    second = await client.told()

    assert (first["id"], second["id"]) == (2, 1)


async def test_a_call_can_be_given_up(client, sleeper):
    client.say('{"command":"word.sleep","id":1}')
    client.say('{"command":"cancel","id":99}')
    assert await client.is_usable()
    client.say('{"command":"cancel","id":1}')

    await sleeper.given_up.acquire()
    assert await client.is_usable()


async def test_an_id_is_used_by_one_call_at_a_time(client, sleeper):
    client.say('{"command":"word.sleep","id":1}')
    client.say('{"command":"word.sleep","id":1}')

    told = await client.told()

    assert told["content"]["message"] == (
        "id: expected one that no call under way has, found one that has"
    )
    assert await client.is_usable()
    assert sleeper.begun == 1


async def test_an_id_can_be_used_again_after_its_call(client):
    for _ in range(2):
        client.say('{"command":"word.say","id":1,"content":{"word":"hello"}}')
        assert (await client.told())["command"] == "word.say"


async def test_calls_at_once_have_a_limit(client, sleeper):
    for n in range(1001):
        client.say(f'{{"command":"word.sleep","id":{n}}}')

    told = await client.told()

    assert (told["id"], told["content"]["kind"]) == (1000, "unavailable")
    assert sleeper.begun == 1000


async def test_calls_end_with_their_connection(client, sleeper):
    client.say('{"command":"word.sleep","id":1}')
    assert await client.is_usable()
    client.close()

    await sleeper.given_up.acquire()


async def test_at_the_end_calls_are_given_up(port, client, sleeper):
    client.say('{"command":"word.sleep","id":1}')
    assert await client.is_usable()
    draining = asyncio.create_task(port.sockets.drain())
    await client.hear()
    client.close()

    await draining
    assert not sleeper.given_up.locked()
