"""The way to Test IT: whose certificates are trusted, and when a proxy is used."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import structlog

from syncsvc.adapters.testit.calls import Ask, TestItCalls
from syncsvc.adapters.testit.destinations import TestItDestinations
from syncsvc.adapters.testit.http import new_http
from syncsvc.errors import Rejected, Unavailable
from syncsvc.runs.model import Destination
from tests.protocol.testit_client.certificates import Signed, signed
from tests.support.gates import OpenGate
from tests.support.ports import own_port

SECONDS = timedelta(seconds=30)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
PROXIES = [f"{name}_proxy" for name in ("http", "https", "all", "no")]


@pytest.fixture(autouse=True)
def no_proxies_from_outside(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Signed:
    return signed(tmp_path_factory.mktemp("certificates"))


class Server:
    """Answers every request with {}, and remembers the first line of each."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.port = 0
        self.open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # somebody connected and asked nothing
            return
        self.lines.append(head.split(b"\r\n")[0].decode())
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    async def close(self) -> None:
        for writer in [*self.open]:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


@asynccontextmanager
async def serving(tls: Signed | None = None) -> AsyncIterator[Server]:
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
    server = Server()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context) as sockets:
        server.port = sockets.sockets[0].getsockname()[1]
        try:
            yield server
        finally:
            await server.close()


async def ask(http: httpx.AsyncClient, base_url: str) -> httpx.Response:
    calls = TestItCalls(http, TestItDestinations(None, None), OpenGate())
    async with http:
        return await calls.call(Destination(base_url, "token"), Ask("GET", "/projects/p"))


async def test_a_server_whose_authority_is_named_is_trusted(files: Signed):
    async with serving(files) as server:
        answer = await ask(new_http(SECONDS, files.authority), f"https://127.0.0.1:{server.port}")

    assert answer.json() == {}


async def test_a_server_whose_authority_nobody_named_is_unavailable_and_says_what_to_do(files):
    async with serving(files) as server:
        with pytest.raises(Unavailable, match="SYNCSVC_TESTIT_CA_FILE") as raised:
            await ask(new_http(SECONDS), f"https://127.0.0.1:{server.port}")

    assert "not trusted (" in str(raised.value)
    assert server.lines == []


async def test_a_named_authority_does_not_take_the_place_of_the_systems(files: Signed):
    http = new_http(SECONDS, files.authority)
    plain = new_http(SECONDS)

    assert count_trusted(http) == count_trusted(plain) + 1
    await http.aclose()
    await plain.aclose()


def count_trusted(http: httpx.AsyncClient) -> int:
    return http._transport._pool._ssl_context.cert_store_stats()["x509_ca"]


async def test_without_verification_any_certificate_is_taken_with_one_warning(files: Signed):
    with structlog.testing.capture_logs() as lines:
        async with serving(files) as server:
            http = new_http(SECONDS, verify=False)
            answer = await ask(http, f"https://127.0.0.1:{server.port}")

    assert answer.json() == {}
    assert [line["log_level"] for line in lines] == ["warning"]
    assert lines[0]["setting"] == "SYNCSVC_TESTIT_VERIFY_TLS"


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"\x30\x82\x00", "key", "folder"])
def test_a_file_that_holds_no_authority_is_rejected_at_the_start(files, tmp_path: Path, content):
    file = tmp_path / "ca.pem"
    if content == "folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(files.key.read_bytes() if content == "key" else content)

    with pytest.raises(Rejected, match=r"SYNCSVC_TESTIT_CA_FILE: expected .*ca\.pem"):
        new_http(SECONDS, file)


async def test_a_configured_proxy_is_used():
    async with serving() as proxy:
        http = new_http(SECONDS, proxy=f"http://127.0.0.1:{proxy.port}")
        await ask(http, "http://testit.invalid/base")

    assert proxy.lines == ["GET http://testit.invalid/base/adapters/projects/p HTTP/1.1"]


async def test_the_environments_proxy_is_used(monkeypatch):
    async with serving() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        await ask(new_http(SECONDS), "http://testit.invalid")

    assert proxy.lines == ["GET http://testit.invalid/adapters/projects/p HTTP/1.1"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("by", ["setting", "environment"])
async def test_this_host_is_never_reached_through_a_proxy(monkeypatch, host: str, by: str):
    async with serving() as proxy, serving() as server:
        address = f"http://127.0.0.1:{proxy.port}"
        if by == "environment":
            monkeypatch.setenv("ALL_PROXY", address)
        http = new_http(SECONDS, proxy=address if by == "setting" else None)
        await ask(http, f"http://{host}:{server.port}")

    assert proxy.lines == []
    assert len(server.lines) == 1


@pytest.mark.parametrize("name", ["*", "testit.invalid", ".invalid", "10.0.0.1, invalid"])
@pytest.mark.parametrize("by", ["setting", "environment"])
async def test_no_proxy_holds_for_either(monkeypatch, name: str, by: str):
    monkeypatch.setenv("NO_PROXY", name)
    async with serving() as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        if by == "environment":
            monkeypatch.setenv("ALL_PROXY", address)
        http = new_http(SECONDS, proxy=address if by == "setting" else None)
        with pytest.raises(Unavailable):  # there is no such host
            await ask(http, "http://testit.invalid")

    assert proxy.lines == []


@pytest.mark.parametrize(
    "proxy",
    ["nonsense", "ftp://me:s3cret@host", "http://", "socks5://me:s3cret@host:1", "http://h:x"],
)
def test_a_proxy_that_is_none_is_rejected_without_telling_its_password(proxy: str):
    with pytest.raises(Rejected, match="SYNCSVC_TESTIT_PROXY: expected http://") as raised:
        new_http(SECONDS, proxy=proxy)

    assert "s3cret" not in str(raised.value)


def test_an_environments_proxy_that_is_none_is_rejected(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "ftp://me:s3cret@host")

    with pytest.raises(Rejected, match="HTTPS_PROXY") as raised:
        new_http(SECONDS)

    assert "s3cret" not in str(raised.value)


async def test_a_proxy_that_does_not_answer_leaves_the_call_undone():
    http = new_http(SECONDS, proxy=f"http://127.0.0.1:{own_port()}")
    calls = TestItCalls(http, TestItDestinations(None, None), OpenGate())

    async with http:
        ask_once = Ask("POST", "/testRuns", json={}, once=True)
        with pytest.raises(Unavailable) as raised:
            await calls.call(Destination("http://testit.invalid", "token"), ask_once)

    assert type(raised.value) is Unavailable


@pytest.mark.parametrize("token", ["s3cret\r\nX: y", "s3cret\u0442"])
async def test_a_token_that_no_header_takes_is_rejected_and_not_told(token: str):
    async with serving() as server, new_http(SECONDS) as http:
        calls = TestItCalls(http, TestItDestinations(None, None), OpenGate())
        destination = Destination(f"http://127.0.0.1:{server.port}", token)
        with pytest.raises(Rejected) as raised:
            await calls.call(destination, Ask("GET", "/projects/p"))

    assert "s3cret" not in str(raised.value)
    assert server.lines == []
