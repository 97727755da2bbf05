"""The WebSocket side of TestSync, by a client that others wrote."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from syncsvc.adapters.testsync.credentials import Credentials
from tests.support.builders import NOON
from tests.support.sockets import START_AT, basic, serving

AUTHORISED = {"Authorization": basic("agent", "s3cret")}


@pytest.fixture
async def port():
    async with serving(Credentials("agent", "s3cret")) as opened:
        yield opened


def ask(command: str, **content) -> str:
    return json.dumps({"command": command, "content": content})


async def test_the_end_to_end_flow_of_the_go_server(port):
    await port.data.replace("12345", b"payload-e2e", NOON)
    async with connect(port.url("/register/12345"), additional_headers=AUTHORISED) as client:
        await client.send(ask("read_data"))
        assert await client.recv() == b"payload-e2e"

        await client.send(ask("get_connection_count"))
        counted = json.loads(await client.recv())
        assert counted == {"command": "get_connection_count", "content": {"count": 1}}

        await client.send(ask("wait_checkpoint", identifier="e2e", target_count=1))
        released = json.loads(await client.recv())
        assert released["command"] == "wait_checkpoint"
        assert released["content"]["start_at"] == START_AT


async def test_many_agents_meet(port):
    clients = [
        await connect(port.url("/register/1"), additional_headers=AUTHORISED) for _ in range(50)
    ]
    for client in clients:
        await client.send(ask("wait_checkpoint", identifier="x", target_count=50))

    told = await asyncio.gather(*(client.recv() for client in clients))

    assert len(set(told)) == 1
    await asyncio.gather(*(client.close() for client in clients))


async def test_fragments_and_binary_messages_are_understood(port):
    async with connect(port.url(), additional_headers=AUTHORISED) as client:
        await client.send(['{"command":', '"get_connection', '_count"}'])
        first = await client.recv()
        await client.send([b'{"command":"get_', b'connection_count"}'])

        assert await client.recv() == first


async def test_compression_is_never_negotiated(port):
    async with connect(port.url(), additional_headers=AUTHORISED, compression="deflate") as client:
        assert client.response.headers.get("Sec-WebSocket-Extensions") is None
        assert client.subprotocol is None


async def test_pings_are_answered(port):
    async with connect(port.url(), additional_headers=AUTHORISED) as client:
        assert await (await client.ping()) >= 0


async def test_the_wrong_password_is_refused(port):
    with pytest.raises(InvalidStatus) as refused:
        await connect(port.url(), additional_headers={"Authorization": basic("agent", "x")})

    assert refused.value.response.status_code == 401
    assert refused.value.response.body == b'{"code":401,"error":"Request not authorized"}\n'


async def test_credentials_may_come_in_the_query(port):
    async with connect(port.url("/register/1?username=agent&password=s3cret")) as client:
        await client.send(ask("read_data"))

        assert await client.recv() == b""


async def test_the_close_command_ends_without_a_farewell(port):
    async with connect(port.url(), additional_headers=AUTHORISED) as client:
        await client.send(ask("close"))

        with pytest.raises(ConnectionClosedError) as ended:
            await client.recv()
        assert ended.value.rcvd is None


async def test_a_client_that_closes_is_counted_no_longer(port):
    async with connect(port.url(), additional_headers=AUTHORISED) as client:
        async with connect(port.url(), additional_headers=AUTHORISED):
            pass
        await client.send(ask("get_connection_count"))

        assert json.loads(await client.recv())["content"] == {"count": 1}
