"""TestSync over HTTP, byte for byte, over raw sockets to the product's own server."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from syncsvc.adapters.testsync import http
from syncsvc.adapters.testsync.credentials import Credentials
from syncsvc.coordination.testdata.memory import MemoryTestData
from syncsvc.coordination.testdata.sql import SqlTestData
from syncsvc.doors import Listener, bind
from syncsvc.errors import Unavailable
from syncsvc.gateway.server import Server
from tests.support.builders import NOON
from tests.support.plain_http import plain_http

OURS = Credentials("user", "pass")
BASIC = b"Basic " + base64.b64encode(b"user:pass")
JSON = b"application/json; charset=UTF-8"
TEXT = b"text/plain; charset=utf-8"
LIMIT = 10 * 1024 * 1024

UNAUTHORISED = b'{"code":401,"error":"Request not authorized"}\n'
NO_TEST = b'{"code":404,"error":"Could not find test"}\n'
HAS_DATA = b'{"code":409,"error":"Provided test already has set data"}\n'
TOO_LARGE = b'{"code":413,"error":"Request data too large"}\n'


@dataclass
class Answer:
    status: int
    headers: dict[bytes, bytes]
    body: bytes


@dataclass
class Port:
    """A running server, and a client that sends exactly what it is told."""

    number: int

    async def say(self, raw: bytes) -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.number)
        try:
            writer.write(raw)
            return await self.hear(reader, has_body=not raw.startswith(b"HEAD"))
        finally:
            writer.close()

    async def hear(self, reader: asyncio.StreamReader, *, has_body: bool = True) -> Answer:
        async with asyncio.timeout(30):
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.split(b"\r\n")[:-2]
            headers = dict(line.split(b": ", 1) for line in lines)
            size = int(headers[b"content-length"]) if has_body else 0
            headers.pop(b"date")
            return Answer(int(first.split(b" ")[1]), headers, await reader.readexactly(size))

    async def ask(
        self,
        target: str,
        method: str = "GET",
        body: bytes | None = None,
        authorization: bytes | None = BASIC,
    ) -> Answer:
        return await self.say(request(target, method, body, authorization))


def request(
    target: str,
    method: str = "GET",
    body: bytes | None = None,
    authorization: bytes | None = BASIC,
    extra: bytes = b"",
) -> bytes:
    lines = [f"{method} {target} HTTP/1.1\r\nHost: x".encode()]
    if authorization is not None:
        lines.append(b"Authorization: " + authorization)
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n" + extra + b"\r\n" + (body or b"")


def told(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    return Answer(status, dict([*headers, (b"content-length", b"%d" % len(body))]), body)


def refused(status: int, body: bytes) -> Answer:
    return told(status, body, (b"content-type", JSON))


@pytest.fixture
async def serve() -> AsyncIterator:
    """Serve an application on a free port."""
    running = []

    async def start(app: http.TestSyncHttp) -> Port:
        serving = asyncio.Event()
        sockets = bind(Listener("TestSync", "", 0, "none"))
        server = Server(app, serving.set)
        running.append((server, asyncio.create_task(server.serve(sockets=sockets))))
        await asyncio.wait_for(serving.wait(), 30)
        return Port(sockets[0].getsockname()[1])

    yield start
    for server, _ in running:
        server.should_exit = True
    for _, task in running:
        await asyncio.wait_for(task, 30)


def app(data=None, credentials: Credentials = OURS, **options) -> http.TestSyncHttp:
    return http.TestSyncHttp(data or MemoryTestData(), credentials, lambda: NOON, **options)


@pytest.fixture
async def port(serve) -> Port:
    return await serve(app())


class TestData:
    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"payload", TEXT),
            (b'{"a": 1}', TEXT),
            (b"<html></html>", b"text/html; charset=utf-8"),
            (b"\x00\xff" * 10, b"application/octet-stream"),
            (b"%PDF-1.7", b"application/pdf"),
            (b"x" * 100_000, TEXT),
        ],
        ids=["text", "json", "html", "bytes", "pdf", "long"],
    )
    async def test_data_is_echoed_and_then_read_as_it_is_with_a_guessed_type(
        self, port, body, kind
    ):
        expected = told(200, body, (b"content-type", kind))

        assert await port.ask("/tests/42", "POST", body) == expected
        assert await port.ask("/tests/42") == expected

    async def test_empty_data_is_data_without_a_type(self, port):
        assert await port.ask("/tests/42", "POST", b"") == told(200, b"")
        assert await port.ask("/tests/42") == told(200, b"")
        assert await port.ask("/tests/42", "POST", b"more") == refused(409, HAS_DATA)

    async def test_a_post_without_a_body_is_one_with_an_empty_body(self, port):
        assert await port.ask("/tests/42", "POST") == told(200, b"")

    async def test_data_is_set_only_once(self, port):
        await port.ask("/tests/42", "POST", b"first")

        assert await port.ask("/tests/42", "POST", b"second") == refused(409, HAS_DATA)
        assert (await port.ask("/tests/42")).body == b"first"

    async def test_a_test_without_data_is_not_found(self, port):
        assert await port.ask("/tests/42") == refused(404, NO_TEST)

    @pytest.mark.parametrize(
        "target",
        [
            "/tests/7/",
            "/tests/007",
            "/tests/0007/",
            "/tests/%37",
            "/tests/7?username=x",
            "http://host/tests/7",
            "/tests/" + "0" * 9000 + "7",
        ],
        ids=lambda target: target[:30],
    )
    async def test_a_test_has_many_spellings(self, port, target):
        await port.ask("/tests/7", "POST", b"seven")

        assert (await port.ask(target)).body == b"seven"

    async def test_a_body_in_chunks_is_put_together(self, port):
        chunks = b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
        head = request("/tests/42", "POST", extra=b"Transfer-Encoding: chunked\r\n")

        assert (await port.say(head + chunks)).body == b"hello!"
        assert (await port.ask("/tests/42")).body == b"hello!"

    async def test_of_many_posts_at_once_one_wins(self, serve, sqlite):
        port = await serve(app(SqlTestData(sqlite)))

        asked = (port.ask("/tests/42", "POST", b"%d" % number) for number in range(40))
        told = await asyncio.gather(*asked)

        (won,) = [answer.body for answer in told if answer.status == 200]
        assert [answer.status for answer in told].count(409) == 39
        assert (await port.ask("/tests/42")).body == won

    async def test_what_was_acknowledged_outlives_the_process(self, serve, sqlite):
        await (await serve(app(SqlTestData(sqlite)))).ask("/tests/42", "POST", b"kept")

        reborn = await serve(app(SqlTestData(sqlite)))

        assert (await reborn.ask("/tests/42")).body == b"kept"


class TestIds:
    async def test_the_largest_id_is_that_of_an_int64(self, port):
        assert (await port.ask(f"/tests/{2**63 - 1}", "POST", b"x")).status == 200

    @pytest.mark.parametrize("digits", [str(2**63), "9" * 30, "9" * 9000], ids=len)
    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_a_larger_one_is_refused_by_name(self, port, digits, method):
        said = (
            '{"code":400,"error":"Unable to parse testID as int: '
            f'invalid integer \\"{digits}\\""}}\n'
        )

        assert await port.ask(f"/tests/{digits}", method) == refused(400, said.encode())

    async def test_but_only_to_those_who_may_ask(self, port):
        answer = await port.ask(f"/tests/{2**63}", authorization=None)

        assert answer == refused(401, UNAUTHORISED)

    @pytest.mark.parametrize(
        "target",
        [
            "/tests/abc",
            "/tests/-1",
            "/tests/",
            "/tests",
            "/tests/12abc",
            "/tests/1/2",
            "/tests/1%0A",
            "/tests/%D9%A1",
            "/tests/%ff",
            "/health/",
            "/Health",
            "/nope",
            "/.hidden",
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "PUT"])
    async def test_any_other_path_is_no_page(self, port, target, method):
        assert await port.ask(target, method, authorization=None) == told(
            404,
            b"404 page not found\n",
            (b"content-type", TEXT),
            (b"x-content-type-options", b"nosniff"),
        )


class TestWhoMayAsk:
    @pytest.mark.parametrize(
        "authorization",
        [
            None,
            b"",
            b"Basic",
            b"Basic !!!",
            b"Bearer dXNlcjpwYXNz",
            b"Basic " + base64.b64encode(b"user:wrong"),
            b"Basic " + base64.b64encode(b"other:pass"),
            b"Basic " + base64.b64encode(b"no colon"),
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_nobody_without_the_right_basic_header(self, port, method, authorization):
        answer = await port.ask(
            "/tests/42?username=user&password=pass", method, b"x", authorization
        )

        assert answer == refused(401, UNAUTHORISED)

    async def test_the_scheme_may_be_written_in_any_case(self, port):
        shouted = BASIC.replace(b"Basic", b"BASIC")

        assert (await port.ask("/tests/42", authorization=shouted)).status == 404

    async def test_where_nothing_is_configured_any_basic_header_is_good_but_none_is_not(
        self, serve
    ):
        port = await serve(app(credentials=Credentials("", "")))

        assert (await port.ask("/tests/42")).status == 404
        assert await port.ask("/tests/42", authorization=None) == refused(401, UNAUTHORISED)

    async def test_nothing_of_a_refused_post_is_stored(self, port):
        await port.ask("/tests/42", "POST", b"x", authorization=None)

        assert await port.ask("/tests/42") == refused(404, NO_TEST)


class TestOtherRows:
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
    async def test_the_proverb_and_the_health_are_told_to_anybody(self, port, method):
        proverb = b"A random proverb that is very intellectual.\n"

        assert await port.ask("/", method, authorization=None) == told(
            200, proverb, (b"content-type", TEXT)
        )
        assert await port.ask("/health", method, authorization=None) == told(
            200, b'{"status":"ok"}', (b"content-type", JSON)
        )

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
    @pytest.mark.parametrize("target", ["/tests/42", "/tests/42/", f"/tests/{2**63}"])
    async def test_a_wrong_method_is_refused_without_a_word_and_without_credentials(
        self, port, method, target
    ):
        assert await port.ask(target, method, authorization=None) == told(405, b"")

    async def test_head_has_the_headers_and_no_body(self, port):
        answer = await port.ask("/", "HEAD", authorization=None)

        assert (answer.status, answer.headers[b"content-length"]) == (200, b"44")

    @pytest.mark.parametrize(
        ("target", "location"),
        [
            ("//x", b"/x"),
            ("//", b"/"),
            ("/tests//42", b"/tests/42"),
            ("/a/../tests/42/", b"/tests/42/"),
            ("/tests/./42", b"/tests/42"),
            ("/../../health", b"/health"),
            ("/a/..", b"/"),
            ("/a/.", b"/a"),
            ("/tests//42?a=b&c=%20d", b"/tests/42?a=b&c=%20d"),
            ("//a%20b(!)%ff$&+,;=:@~", b"/a%20b%28%21%29%FF$&+,;=:@~"),
            ("/a%2F%2Fb", b"/a/b"),
            ("/%2e%2e/health", b"/health"),
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_an_untidy_path_is_sent_to_the_tidy_one(self, port, method, target, location):
        expected = told(301, b"", (b"location", location))

        assert await port.ask(target, method, authorization=None) == expected

    async def test_strange_names_with_dots_are_tidy(self, port):
        assert (await port.ask("/..x/...")).status == 404

    async def test_a_connection_carries_many_requests(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
        for raw in (
            request("/tests/1", "POST", b"one"),
            request("/tests/1", "POST", b"again"),
            request("/tests/1", authorization=None),
            request("/nope"),
            request("/tests/1"),
        ):
            writer.write(raw)

        heard = [await port.hear(reader) for _ in range(5)]

        assert [answer.status for answer in heard] == [200, 409, 401, 404, 200]
        assert heard[-1].body == b"one"
        writer.close()


class TestSizes:
    async def test_ten_mebibytes_are_taken(self, port):
        assert (await port.ask("/tests/42", "POST", b"x" * LIMIT)).status == 200
        assert len((await port.ask("/tests/42")).body) == LIMIT

    async def test_one_byte_more_is_refused_and_the_connection_stays_usable(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
        writer.write(request("/tests/42", "POST", b"x" * (LIMIT + 1)) + request("/tests/42"))

        assert await port.hear(reader) == refused(413, TOO_LARGE)
        assert await port.hear(reader) == refused(404, NO_TEST)
        writer.close()

    async def test_so_is_a_body_in_chunks_that_never_said_how_long_it_is(self, port):
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        head = request("/tests/42", "POST", extra=b"Transfer-Encoding: chunked\r\n")

        assert await port.say(head + chunk * 11) == refused(413, TOO_LARGE)
        assert await port.ask("/tests/42") == refused(404, NO_TEST)

    async def test_who_asks_whether_to_send_too_much_is_told_no_and_hung_up_on(self, port):
        raw = request(
            "/tests/42",
            "POST",
            extra=b"Content-Length: 99999999\r\nExpect: 100-continue\r\n",
        )

        answer = await port.say(raw)

        assert (answer.status, answer.headers[b"connection"]) == (413, b"close")

    async def test_who_asks_whether_to_send_is_told_to_go_on(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
        extra = b"Content-Length: 5\r\nExpect: 100-continue\r\n"
        writer.write(request("/tests/42", "POST", extra=extra))

        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"

        writer.write(b"hello")
        assert (await port.hear(reader)).body == b"hello"
        writer.close()


@dataclass
class Trouble:
    """A store that fails, or never answers."""

    failure: Exception | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def create(self, run, content, at):
        return await self._fail()

    async def read(self, run):
        return await self._fail()

    async def _fail(self):
        self.asked.set()
        if self.failure is not None:
            raise self.failure
        await asyncio.Event().wait()


class TestTrouble:
    @pytest.mark.parametrize(
        "failure",
        [Unavailable("the disk is full"), RuntimeError("a bug")],
        ids=["known", "unknown"],
    )
    async def test_a_store_that_fails_is_told_as_testsync_tells_it(self, serve, failure):
        port = await serve(app(Trouble(failure)))

        assert await port.ask("/tests/42", "POST", b"x") == refused(
            500, b'{"code":500,"error":"Could not store data"}\n'
        )
        assert await port.ask("/tests/42") == refused(
            500, b'{"code":500,"error":"Could not read data"}\n'
        )

    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_what_takes_too_long_ends_with_503(self, serve, method):
        port = await serve(app(Trouble(), patience=timedelta(milliseconds=50)))

        assert await port.ask("/tests/42", method, b"x") == told(
            503,
            b'{"code":503,"error":"Request timed out"}',
            (b"content-type", TEXT),
            (b"connection", b"close"),
        )

    async def test_so_does_a_body_that_never_comes(self, serve):
        data = MemoryTestData()
        port = await serve(app(data, patience=timedelta(milliseconds=50)))
        patient = await serve(app(data))

        answer = await port.say(request("/tests/42", "POST", extra=b"Content-Length: 9\r\n") + b"x")

        assert answer.status == 503
        assert await patient.ask("/tests/42") == refused(404, NO_TEST)

    async def test_a_body_that_breaks_off_is_not_stored(self, port, caplog):
        _, writer = await asyncio.open_connection("127.0.0.1", port.number)
        writer.write(request("/tests/42", "POST", extra=b"Content-Length: 9\r\n") + b"x")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

        assert await port.ask("/tests/42") == refused(404, NO_TEST)
        assert not [record for record in caplog.records if record.exc_info]

    async def test_a_client_that_leaves_while_it_is_stored_does_no_harm(self, serve, caplog):
        trouble = Trouble()
        port = await serve(app(trouble, patience=timedelta(milliseconds=50)))
        _, writer = await asyncio.open_connection("127.0.0.1", port.number)
        writer.write(request("/tests/42", "POST", b"x"))
        await asyncio.wait_for(trouble.asked.wait(), 30)
        writer.transport.abort()

        assert (await port.ask("/health")).status == 200
        assert not [record for record in caplog.records if record.exc_info]

    @pytest.mark.parametrize(
        "raw",
        [
            b"nonsense\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
            b"GET /tests/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
            b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"FOO /tests/1 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /tests/1 HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /tests/1 HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
            b"POST /tests/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ],
        ids=lambda raw: raw[:20],
    )
    async def test_what_is_no_http_is_answered_400_without_a_trace(self, port, caplog, raw):
        assert (await port.say(raw)).status == 400
        assert not [record for record in caplog.records if record.exc_info]

    async def test_connections_that_say_nothing_keep_nobody_waiting(self, port):
        silent = [socket.create_connection(("127.0.0.1", port.number)) for _ in range(200)]

        assert (await port.ask("/health")).status == 200

        for one in silent:
            one.close()


@dataclass
class Sockets:
    """Runs that sockets registered for."""

    runs: set[str]
    failure: Exception | None = None

    async def ever(self, run):
        if self.failure is not None:
            raise self.failure
        return run in self.runs


class TestStrict:
    async def test_an_id_that_a_socket_registered_takes_no_data(self, serve):
        port = await serve(app(registered=Sockets({"42"})))

        assert await port.ask("/tests/0042", "POST", b"x") == refused(409, HAS_DATA)
        assert await port.ask("/tests/42") == refused(404, NO_TEST)
        assert (await port.ask("/tests/43", "POST", b"x")).status == 200

    async def test_when_that_cannot_be_known_nothing_is_stored(self, serve):
        port = await serve(app(registered=Sockets(set(), Unavailable("redis is away"))))

        assert (await port.ask("/tests/42", "POST", b"x")).status == 500
        assert await port.ask("/tests/42") == refused(404, NO_TEST)


async def test_requests_are_counted_by_method_and_status(serve):
    port = await serve(app())
    before = _counted("POST", "200")

    await port.ask("/tests/42", "POST", b"x")

    assert _counted("POST", "200") == before + 1


def _counted(method: str, status: str) -> float:
    return http.REQUESTS.labels(method, status)._value.get()


async def test_testsyncs_own_client_is_content(serve, sqlite):
    """The HTTP half of its `usage/e2e`: post, then get the same."""
    port = await serve(app(SqlTestData(sqlite)))
    async with plain_http(f"http://127.0.0.1:{port.number}", auth=("user", "pass")) as client:
        posted = await client.post("/tests/12345", content="payload-e2e")
        read = await client.get("/tests/12345")

    assert (posted.status_code, read.status_code) == (200, 200)
    assert read.text == "payload-e2e"
