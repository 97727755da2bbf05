"""Bad input: an error that names the field, and a connection that stays usable."""

import json

import pytest

from tests.support.sockets import BINARY, Raw, frame, serving

NONSENSE = b'{"command":"wait_checkpoint","content":{"identifier":"x","target_count":"1"}}'


@pytest.fixture
async def port():
    async with serving() as opened:
        yield opened


@pytest.fixture
async def client(port):
    return await Raw.upgraded(port)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (NONSENSE, "target_count: expected an integer, found a string"),
        (b"", "message: expected an object, found nothing"),
        (b"hello", "message: expected an object, found no JSON"),
        (b'{"command":["x"]}', "command: expected a string, found a list"),
        (b'{"command":"dance"}', "command: expected one that exists, found 'dance'"),
        (b"{}", "command: expected one that exists, found ''"),
        (
            b'{"command":"wait_checkpoint","content":{"identifier":"%b","target_count":1}}'
            % (b"n" * 1024 * 1024),
            "identifier: expected at most 1000 characters, found 1048576",
        ),
        (
            b'{"command":"%b"}' % (b"c" * 1024 * 1024),
            "command: expected one that exists, found '" + "c" * 80 + "'",
        ),
        (b"[" * 1_000_000, "message: expected one, found something else"),
        (b'{"command":' * 1_000_000, "message: expected one, found something else"),
        (
            b'{"command":"wait_checkpoint","content":{"identifier":%b1%b}}'
            % (b"[" * 500_000, b"]" * 500_000),
            "message: expected one, found something else",
        ),
    ],
)
async def test_bad_input_is_answered_by_what_is_wrong(client, payload, message):
    client.send(frame(payload))

    told = await client.told()

    assert told["command"] == "error"
    assert told["content"]["message"].startswith(message)
    assert await client.is_usable()


@pytest.mark.parametrize("depth", [1, 100, 5_000])
async def test_deep_data_is_stored_as_any_other(client, depth):
    content = b"[" * depth + b"]" * depth
    client.send(frame(b'{"command":"update_data","content":' + content + b"}"))
    client.say('{"command":"read_data"}')

    assert await client.hear() == (BINARY, content)


async def test_an_error_carries_the_id_of_its_message(client):
    client.say('{"command":"wait_checkpoint","id":"seven","content":[]}')

    told = await client.told()

    assert (told["id"], told["content"]["command"]) == ("seven", "wait_checkpoint")


async def test_an_error_without_a_command_says_none(client):
    client.say("[1]")

    assert (await client.told())["content"]["command"] is None


@pytest.mark.parametrize(
    ("strict", "path", "told"),
    [
        (False, "/register/1", True),
        (False, "/register/1?errors=0", False),
        (True, "/register/1", False),
        (True, "/register/1?errors=1", True),
        (True, "/register/1?errors=perhaps", False),
        (True, "/runs/1", True),
        (True, "/runs/1?errors=0", False),
    ],
)
async def test_errors_are_told_where_they_are_wanted(strict, path, told):
    async with serving(strict=strict) as port:
        client = await Raw.upgraded(port, path)
        client.send(frame(NONSENSE))
        client.say('{"command":"get_connection_count"}')

        first = await client.told()

        assert first["command"] == ("error" if told else "get_connection_count")


async def test_who_asks_with_an_id_is_answered_in_any_case():
    async with serving(strict=True) as port:
        client = await Raw.upgraded(port)
        client.say(json.dumps({"command": "dance", "id": 1}))

        assert (await client.told())["content"]["kind"] == "unknown"
