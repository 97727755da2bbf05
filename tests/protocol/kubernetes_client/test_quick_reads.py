"""Reads over connections that are kept: what servers may do to them."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
import uvloop

from syncsvc.adapters.kubernetes.quick import QuickReads, goes_through_proxy
from syncsvc.errors import Unavailable
from tests.support.ports import own_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
CLOSE = "close"


@dataclass
class Server:
    """Gives each request the next answer, as it is; with CLOSE it hangs up instead."""

    answers: list[bytes | str]
    port: int = 0
    asked: list[bytes] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                self.asked.append(await reader.readuntil(b"\r\n\r\n"))
                self.was_asked.set()
                answer = self.answers.pop(0)
                if answer == CLOSE:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def a_server(*answers: bytes | str) -> AsyncIterator[tuple[Server, QuickReads]]:
    server = Server([*answers])
    serving = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = serving.sockets[0].getsockname()[1]
    reads = QuickReads(f"http://127.0.0.1:{server.port}/k8s/", None, None, largest=1000)
    try:
        yield server, reads
    finally:
        await reads.close()
        serving.close()


async def got(reads: QuickReads, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    async with asyncio.timeout(30):
        return (await reads.get("/log", [("container", "k6 a&b")], headers))[1]


async def test_one_connection_serves_one_read_after_another():
    async with a_server(OK, OK) as (server, reads):
        found = [await got(reads, [("Authorization", "Bearer t")]), await got(reads)]

    assert found == [b"yes", b"yes"]
    assert server.connections == 1
    assert server.asked[0].startswith(
        b"GET /k8s/log?container=k6+a%26b HTTP/1.1\r\nHost: 127.0.0.1:"
    )
    assert b"\r\nAuthorization: Bearer t\r\n" in server.asked[0]


def test_the_gateways_loop_reads_as_well():
    async def read_once() -> bytes:
        async with a_server(OK) as (_, reads):
            return await got(reads)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(read_once())

    assert found == b"yes"


async def test_reads_side_by_side_have_a_connection_each():
    async with a_server(OK, OK, OK) as (server, reads):
        found = await asyncio.gather(got(reads), got(reads))

    assert found == [b"yes", b"yes"]
    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nye\r\n1\r\ns\r\n0\r\n\r\n",
            b"yes",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"yes"),
    ],
    ids=["chunked", "no content", "after a 100"],
)
async def test_bodies_come_whole(answer: bytes, body: bytes):
    async with a_server(answer) as (_, reads):
        assert await got(reads) == body


async def test_a_body_that_is_coded_although_we_want_it_plain_is_decoded():
    coded = gzip.compress(b"yes")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(coded)}\r\n\r\n"

    async with a_server(head.encode() + coded) as (_, reads):
        assert await got(reads) == b"yes"


async def test_a_refusal_comes_with_its_headers():
    refusal = b"HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nno"

    async with a_server(refusal, OK) as (server, reads):
        answer, body = await reads.get("/log", [], [])
        again = await got(reads)

    assert (answer.status_code, answer.headers["retry-after"], body) == (429, "3", b"no")
    assert (again, server.connections) == (b"yes", 1)


async def test_a_server_that_wants_to_close_is_asked_on_a_new_connection():
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nyes"

    async with a_server(closing, OK) as (server, reads):
        found = [await got(reads), await got(reads)]

    assert (found, server.connections) == ([b"yes", b"yes"], 2)


@pytest.mark.parametrize(
    "answers",
    [
        [CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut"],
        [b"nothing of HTTP\r\n\r\n"],
    ],
    ids=["hangs up", "cut", "no HTTP"],
)
async def test_an_answer_that_breaks_off_is_a_failure_and_its_connection_gone(
    answers: list[bytes | str],
):
    async with a_server(*answers) as (server, reads):  # which hangs up after its last answer
        with pytest.raises(httpx.RemoteProtocolError):
            await got(reads)
        server.answers = [OK]

        assert await got(reads) == b"yes"
    assert server.connections == 2


async def test_an_answer_that_is_too_large_is_not_read_to_its_end():
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000

    async with a_server(large) as (_, reads):
        with pytest.raises(Unavailable, match="more than 1000 bytes"):
            await got(reads)


async def test_a_read_that_is_given_up_takes_its_connection_along():
    async with a_server(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ny", OK) as (server, reads):
        reading = asyncio.create_task(got(reads))
        async with asyncio.timeout(30):
            await server.was_asked.wait()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

        assert await got(reads) == b"yes"
    assert server.connections == 2


async def test_a_token_cannot_add_headers():
    async with a_server(OK) as (server, reads):
        with pytest.raises(httpx.LocalProtocolError) as refused:
            await got(reads, [("Authorization", "Bearer secret\r\nX-Other: 1")])

    assert "secret" not in str(refused.value)
    assert server.asked == []


async def test_nobody_at_the_address_is_a_failure_to_connect():
    nobody = QuickReads(f"http://127.0.0.1:{own_port()}", None, None, largest=1000)

    with pytest.raises(httpx.ConnectError):
        await got(nobody)


def test_what_a_proxy_may_be_asked_for_is_left_to_httpx(monkeypatch: pytest.MonkeyPatch):
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    assert not goes_through_proxy("https://k8s.example", None)
    assert goes_through_proxy("https://k8s.example", "http://proxy.example")

    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")

    assert goes_through_proxy("https://k8s.example", None)
    assert not goes_through_proxy("http://127.0.0.1:8001", None)
