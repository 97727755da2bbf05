"""Peers that fall silent, peers that do not read, workers that come and go, and the end."""

import asyncio
import socket
import time

import pytest

from syncsvc.adapters.testsync.hall import SLICES
from syncsvc.coordination.checkpoints.model import Ending
from syncsvc.coordination.connections.model import Totals
from tests.support.sockets import BINARY, CLOSE, PATIENCE, PING, PONG, Raw, frame, serving

WAIT = '{"command":"wait_checkpoint","content":{"identifier":"x","target_count":%d}}'
ROUNDS_OF_SILENCE = 6


@pytest.fixture
async def port():
    async with serving() as opened:
        yield opened


@pytest.fixture
async def client(port):
    return await Raw.upgraded(port)


def sweep_all(port, rounds=1):
    for _ in range(rounds * SLICES):
        port.sockets.sweep()


async def test_peers_are_pinged(port, client):
    sweep_all(port)

    assert await client.hear(pings=True) == (PING, b"ping")


async def test_each_peer_is_pinged_once_a_round(port):
    clients = [await Raw.upgraded(port) for _ in range(SLICES + 3)]
    sweep_all(port)
    for client in clients:
        client.say('{"command":"get_connection_count"}')

    heard = [await client.hear(pings=True) for client in clients]

    assert heard == [(PING, b"ping")] * len(clients)
    assert {(await client.hear(pings=True))[1][:30] for client in clients} == {
        b'{"command":"get_connection_cou'
    }


async def test_a_peer_that_answers_nothing_is_dropped(port, client):
    sweep_all(port, ROUNDS_OF_SILENCE)
    for _ in range(ROUNDS_OF_SILENCE):
        await client.hear(pings=True)

    sweep_all(port)

    assert await client.ended()


async def test_a_peer_that_answers_pings_stays(port, client):
    for _ in range(2 * ROUNDS_OF_SILENCE):
        sweep_all(port)
        client.send(frame((await client.hear(pings=True))[1], PONG))
        client.send(frame(b"sync", PING))
        assert await client.hear() == (PONG, b"sync")

    assert await client.is_usable()


async def test_a_peer_that_says_anything_stays(port, client):
    for _ in range(2 * ROUNDS_OF_SILENCE):
        sweep_all(port)
        assert await client.is_usable()


async def test_a_peer_that_does_not_answer_a_close_is_dropped(port, client):
    client.say(WAIT % 2)
    assert await client.is_usable()
    port.meetings.end("1", "x", Ending.ABORTED)
    await client.hear()
    assert (await client.hear())[0] == CLOSE

    sweep_all(port, 2)

    assert await client.ended()


async def stuck(port) -> socket.socket:
    """Give a peer that asked for more than it ever reads."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.setblocking(False)  # noqa: FBT003 - the standard library's signature
    loop = asyncio.get_running_loop()
    await loop.sock_connect(peer, ("127.0.0.1", port.number))
    client = await Raw.connect(port)
    client.writer.close()
    request = (
        "GET /register/1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await loop.sock_sendall(peer, request.encode())
    await loop.sock_recv(peer, 129)
    return peer


async def test_a_peer_that_does_not_read_is_dropped(port, client):
    client.send(frame(b'{"command":"update_data","content":"%b"}' % (b"x" * 1024 * 1024)))
    with await stuck(port) as peer:
        await asyncio.get_running_loop().sock_sendall(
            peer, frame(b'{"command":"read_data"}') * 30 + frame((WAIT % 2).encode())
        )

        await _alone(client)

        assert port.meetings.lost == port.meetings.arrived


async def _alone(client) -> None:
    async with asyncio.timeout(PATIENCE):
        count = 0
        while count != 1:
            client.say('{"command":"get_connection_count"}')
            count = (await client.told())["content"]["count"]


async def test_a_peer_that_reads_slowly_gets_all(port, client):
    content = b'"%b"' % (b"x" * 3_000_000)
    client.send(frame(b'{"command":"update_data","content":' + content + b"}"))
    client.send(frame(b'{"command":"read_data"}') * 2)
    assert await (await Raw.upgraded(port)).is_usable()

    assert [await client.hear(), await client.hear()] == [(BINARY, content)] * 2
    assert await client.is_usable()


async def test_a_large_answer_is_not_cut_short_by_pings_and_small_messages(port, client):
    content = b'"%b"' % (b"x" * 20_000_000)
    client.send(frame(b'{"command":"update_data","content":' + content + b"}"))
    client.send(frame(b'{"command":"read_data"}'), frame((WAIT % 2).encode()))
    other = await Raw.upgraded(port)
    assert await other.is_usable()

    sweep_all(port)
    other.say(WAIT % 2)

    assert (await other.told())["content"]["finished"]
    assert await client.hear() == (BINARY, content)
    assert (await client.told())["content"]["finished"]


async def test_a_peer_that_reads_a_large_answer_is_not_silent(port, client):
    content = b'"%b"' % (b"x" * 20_000_000)
    client.send(frame(b'{"command":"update_data","content":' + content + b"}"))
    client.send(frame(b'{"command":"read_data"}'))
    assert await (await Raw.upgraded(port)).is_usable()

    read = 0
    for _ in range(2 * ROUNDS_OF_SILENCE):
        read += len(await client.reader.read(1_000_000))
        sweep_all(port)

    assert len(await client.reader.readexactly(20_000_000 - read)) == 20_000_000 - read


@pytest.mark.alone
async def test_a_stuck_peer_does_not_delay_the_others(port):
    readers = [await Raw.upgraded(port) for _ in range(50)]
    readers[0].send(frame(b'{"command":"update_data","content":"%b"}' % (b"x" * 4_000_000)))
    assert await readers[0].is_usable()
    with await stuck(port) as peer:
        await asyncio.get_running_loop().sock_sendall(
            peer, frame(b'{"command":"read_data"}') + frame((WAIT % 51).encode())
        )
        for reader in readers:
            reader.say(WAIT % 51)
        started = time.perf_counter()
        told = [await reader.told() for reader in readers]

        assert {message["content"]["finished"] for message in told} == {True}
        assert time.perf_counter() - started < 1


async def test_a_worker_joins_is_beaten_for_and_leaves(port):
    client = await Raw.upgraded(port, "/register/1?worker=w")
    await Raw.upgraded(port, "/runs/1?worker=v")
    await port.presence.heard("join", "1", "w")
    await port.presence.heard("join", "1", "v")
    await port.sockets.beat()
    client.send(frame((1000).to_bytes(2), CLOSE))
    await port.presence.heard("leave", "1", "w")

    assert port.presence.said[-2:] == [("beat", "1", "v,w"), ("leave", "1", "w")]


async def test_a_worker_whose_connection_breaks_is_not_gone_yet(port, client):
    worker = await Raw.upgraded(port, "/register/1?worker=w")
    await port.presence.heard("join", "1", "w")
    worker.writer.transport.abort()
    await _alone(client)
    await port.sockets.beat()

    assert port.presence.said == [("join", "1", "w")]


async def test_a_worker_stays_while_one_of_its_connections_does(port):
    client = await Raw.upgraded(port, "/register/1?worker=w")
    await Raw.upgraded(port, "/register/1?worker=w")
    await port.presence.heard("join", "1", "w")
    client.send(frame((1000).to_bytes(2), CLOSE))
    await client.hear()
    assert await client.ended()
    await port.sockets.beat()

    assert port.presence.said[-1] == ("beat", "1", "w")


async def test_a_worker_that_was_missed_joins_again(port):
    await Raw.upgraded(port, "/register/1?worker=w")
    await port.presence.heard("join", "1", "w")
    port.presence.said.clear()
    port.presence.absent = ["w"]
    await port.sockets.beat()

    await port.presence.heard("join", "1", "w")


async def test_at_the_end_all_are_sent_away(port):
    plain, ours = await Raw.upgraded(port), await Raw.upgraded(port, "/runs/1?worker=w")
    plain.say(WAIT % 3)
    assert await plain.is_usable()
    draining = asyncio.create_task(port.sockets.drain())

    goodbye = (CLOSE, (1012).to_bytes(2) + b"this gateway is going away")
    assert await plain.hear() == goodbye
    assert await ours.told() == {
        "command": "reconnect",
        "content": {"reason": "this gateway is going away"},
    }
    assert await ours.hear() == goodbye
    for client in (plain, ours):
        client.send(frame((1012).to_bytes(2), CLOSE))
    await draining
    assert port.meetings.lost == []
    assert ("leave", "1", "w") not in port.presence.said


async def test_at_the_end_nobody_new_comes_in(port):
    await port.sockets.drain()

    with pytest.raises(ConnectionRefusedError):
        await Raw.connect(port)


@pytest.mark.alone
async def test_a_peer_that_ignores_the_end_is_dropped(port, client):
    started = time.perf_counter()

    await port.sockets.drain()

    assert 1.5 < time.perf_counter() - started < 5
    await client.hear()
    assert await client.ended()


async def test_at_the_end_the_others_learn_that_nobody_is_left(port, client):
    assert await client.is_usable()
    client.close()

    await port.sockets.drain()

    assert await port.connections.totals("1") == Totals(live=0, ever=1)
