"""The way to TestIO: whose certificates are trusted, and what a server that is not there costs."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from syncsvc.adapters.testio.accounts import accounts_from
from syncsvc.adapters.testio.calls import Manner
from syncsvc.adapters.testio.sources import TestIoSources, http_from
from syncsvc.catalogue.spending import Spending
from syncsvc.errors import Unavailable
from syncsvc.settings import Settings
from tests.protocol.testit_client.certificates import Signed, signed
from tests.support.gates import OpenGate
from tests.support.ports import own_port

BODY = b'{"products": []}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


async def no_pause(_seconds: float) -> None:
    """Let no time pass."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    return signed(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def serving(answer: bytes, tls: Signed | None = None) -> AsyncIterator[int]:
    """Answer every connection so, and give the port."""
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def products(url: str, spending: Spending, ca_file: Path | None = None) -> object:
    settings = Settings(
        _env_file=None, testio_url=url, testio_token="s3cret", testio_ca_file=ca_file
    )
    async with http_from(settings) as http:
        manner = Manner(pause=no_pause)
        sources = TestIoSources(accounts_from(settings), http, OpenGate(), manner)
        return (await sources.of("default").products(None, spending)).products


async def test_a_server_whose_authority_is_named_is_trusted(files: Signed):
    async with serving(ANSWER, files) as port:
        assert await products(f"https://127.0.0.1:{port}", Spending(9), files.authority) == []


async def test_a_server_whose_authority_nobody_named_says_what_to_do_at_once(files: Signed):
    spending = Spending(9)

    async with serving(ANSWER, files) as port:
        with pytest.raises(Unavailable, match="SYNCSVC_TESTIO_CA_FILE"):
            await products(f"https://127.0.0.1:{port}", spending)

    assert spending.calls == 1


async def test_a_server_that_is_not_there_is_unavailable_after_five_tries():
    spending = Spending(9)

    with pytest.raises(Unavailable, match="tried 5 times"):
        await products(f"http://127.0.0.1:{own_port()}", spending)

    assert spending.calls == 5


@pytest.mark.parametrize("answer", [b"", ANSWER[:-3], b"HTTP/1.1 2", b"SSH-2.0\r\n\r\n"])
async def test_an_answer_that_is_cut_off_is_tried_again(answer: bytes):
    spending = Spending(9)

    async with serving(answer) as port:
        with pytest.raises(Unavailable, match="tried 5 times"):
            await products(f"http://127.0.0.1:{port}", spending)

    assert spending.calls == 5
