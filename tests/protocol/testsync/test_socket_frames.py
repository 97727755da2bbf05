"""Raw frames: what a client may send, and what ends its connection."""

import asyncio

import pytest

from syncsvc.adapters.testsync.socket import LARGEST_MESSAGE
from tests.support.sockets import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PATIENCE,
    PING,
    PONG,
    TEXT,
    Raw,
    frame,
    serving,
)

COUNT = b'{"command":"get_connection_count","content":{}}'
COUNTED = (TEXT, b'{"command":"get_connection_count","content":{"count":1}}')


@pytest.fixture
async def port():
    async with serving() as opened:
        yield opened


@pytest.fixture
async def client(port):
    return await Raw.upgraded(port)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_text_and_binary_are_treated_alike(client, opcode):
    client.send(frame(COUNT, opcode))

    assert await client.hear() == COUNTED


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_fragments_are_one_message(client, opcode):
    client.send(
        frame(COUNT[:5], opcode, 0),
        frame(b"", CONTINUATION, 0),
        frame(b"between", PING),
        frame(COUNT[5:20], CONTINUATION, 0),
        frame(COUNT[20:], CONTINUATION),
    )

    assert await client.hear() == (PONG, b"between")
    assert await client.hear() == COUNTED


async def test_messages_that_arrive_byte_by_byte_are_read(client):
    for byte in frame(COUNT):
        client.send(bytes([byte]))
        await client.writer.drain()

    assert await client.hear() == COUNTED


async def test_many_messages_at_once_are_answered_in_order(client):
    client.send(frame(COUNT), frame(b'{"command":"read_data"}'), frame(COUNT))

    assert [await client.hear() for _ in range(3)] == [COUNTED, (BINARY, b""), COUNTED]


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        (frame(COUNT, CONTINUATION), 1002, b"continuation after FIN"),
        (frame(COUNT, TEXT, 0) + frame(COUNT), 1002, b"data before FIN"),
        (frame(COUNT, TEXT, 0xC0), 1002, b"RSV1 set"),
        (frame(COUNT, TEXT, 0xA0), 1002, b"RSV2 set"),
        (frame(COUNT, PING, 0x90), 1002, b"RSV3 set"),
        (frame(COUNT, masked=False), 1002, b"Received un-masked frame"),
        (frame(COUNT, 3), 1002, b"Received frame with invalid opcode"),
        (frame(b"x", PING, 0), 1002, b"Received fragmented control frame"),
        (frame(b"x" * 126, PING), 1002, b"Received control frame"),
    ],
)
async def test_a_protocol_error_ends_the_connection(client, sent, code, reason):
    client.send(sent)

    opcode, payload = await client.hear()

    assert (opcode, int.from_bytes(payload[:2])) == (CLOSE, code)
    assert payload[2:].startswith(reason)
    client.send(frame(payload[:2], CLOSE))
    assert await client.ended()


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        ((1000).to_bytes(2), (1000).to_bytes(2)),
        ((1000).to_bytes(2) + b"goodbye", (1000).to_bytes(2)),
        ((4321).to_bytes(2), (4321).to_bytes(2)),
        ((1006).to_bytes(2), (1002).to_bytes(2) + b"bad close code 1006"),
        ((5000).to_bytes(2), (1002).to_bytes(2) + b"bad close code 5000"),
    ],
)
async def test_a_close_is_answered_by_its_code_and_ends_the_connection(client, sent, answer):
    client.send(frame(sent, CLOSE))

    assert await client.hear() == (CLOSE, answer)
    assert await client.ended()


async def test_a_close_code_that_does_not_exist_is_a_protocol_error(client):
    client.send(frame((999).to_bytes(2), CLOSE))

    opcode, payload = await client.hear()

    assert (opcode, payload[:2]) == (CLOSE, (1002).to_bytes(2))
    assert await client.ended()


async def test_the_close_command_drops_the_connection_without_a_frame(client):
    client.send(frame(b'{"command":"close"}'), frame(COUNT))

    assert await client.ended()


async def test_a_ping_is_answered_by_its_payload(client):
    client.send(frame(b"\x00\xff", PING), frame(b"", PING), frame(b"nobody asked", PONG))

    assert await client.hear() == (PONG, b"\x00\xff")
    assert await client.hear() == (PONG, b"")
    assert await client.is_usable()


async def test_a_flood_of_pings_is_answered(client):
    client.send(frame(b"x" * 125, PING) * 5000)

    answers = [await client.hear() for _ in range(5000)]

    assert set(answers) == {(PONG, b"x" * 125)}


async def test_bytes_that_are_no_utf8_are_stored_as_they_are(client):
    client.send(frame(b'{"command":"update_data","content":"\xff\xfe"}'))
    client.send(frame(b'{"command":"read_data"}'))

    assert await client.hear() == (BINARY, b'"\xff\xfe"')


async def test_a_message_of_thirty_megabytes_is_stored(client):
    content = b'"' + b"x" * (30 * 1024 * 1024) + b'"'
    client.send(frame(b'{"command":"update_data","content":' + content + b"}"))
    client.send(frame(b'{"command":"read_data"}'))

    assert await client.hear() == (BINARY, content)


async def test_a_larger_message_ends_the_connection(client):
    client.send(b"\x81\xff" + (LARGEST_MESSAGE + 1).to_bytes(8) + b"mask")

    opcode, payload = await client.hear()

    assert (opcode, payload[:2]) == (CLOSE, (1009).to_bytes(2))
    assert await client.ended()


async def test_fragments_of_a_larger_message_end_the_connection(client):
    piece = b"x" * (LARGEST_MESSAGE // 2)
    client.send(frame(piece, TEXT, 0), frame(piece, CONTINUATION, 0), frame(b"x", CONTINUATION))

    opcode, payload = await client.hear()

    assert (opcode, payload[:2]) == (CLOSE, (1009).to_bytes(2))


async def test_half_a_close_ends_the_connection(port, client):
    client.say('{"command":"wait_checkpoint","content":{"identifier":"x","target_count":2}}')
    assert await client.is_usable()
    client.writer.write_eof()

    assert await client.ended()
    assert [arrival.name for arrival in port.meetings.lost] == ["x"]


async def test_a_connection_that_is_cut_is_counted_no_longer(port, client):
    other = await Raw.upgraded(port)
    client.writer.transport.abort()
    await _until_alone(other)

    other.send(frame(COUNT))

    assert await other.hear() == COUNTED


async def _until_alone(client):
    async with asyncio.timeout(PATIENCE):
        answer = b""
        while answer != COUNTED[1]:
            client.send(frame(COUNT))
            _, answer = await client.hear()
