"""Who is let in on TestSync's WebSocket port, and what the others are told."""

import pytest

from syncsvc.adapters.testsync.credentials import Credentials
from tests.support.sockets import CLOSE, Raw, basic, serving

SECRET = Credentials("agent", "s3cret")
REFUSED = b'{"code":401,"error":"Request not authorized"}\n'
GOOD, BAD = basic("agent", "s3cret"), basic("agent", "wrong")
QUERY = "?username=agent&password=s3cret"


@pytest.fixture
async def port():
    async with serving() as opened:
        yield opened


@pytest.fixture
async def guarded():
    async with serving(SECRET, api_token="a-token") as opened:
        yield opened


async def ask(port, path, *lines, **more):
    return await (await Raw.connect(port)).ask(path, *lines, **more)


async def test_the_root_reports_for_duty(port):
    status, headers, body = await ask(port, "/", upgrade=False)

    assert (status, body) == (200, b"WebSocket, reporting for duty!\n")
    assert headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/register/1", "/register/007?x=y", "/register/9223372036854775807"]
)
async def test_a_test_id_is_upgraded(port, path):
    status, headers, _ = await ask(port, path)

    assert status == 101
    assert set(headers) == {"upgrade", "connection", "sec-websocket-accept"}
    assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


async def test_an_id_is_the_number_that_it_writes(port):
    one, other = await Raw.upgraded(port, "/register/7"), await Raw.upgraded(port, "/register/007")
    one.say('{"command":"wait_checkpoint","content":{"identifier":"x","target_count":2}}')
    other.say('{"command":"wait_checkpoint","content":{"identifier":"x","target_count":2}}')

    assert (await one.hear()) == (await other.hear())


async def test_a_trailing_slash_is_redirected(port):
    status, headers, body = await ask(port, "/register/1/?worker=w")

    assert (status, headers["location"]) == (301, "/register/1?worker=w")
    assert body == b'<a href="/register/1?worker=w">Moved Permanently</a>.\n\n'


@pytest.mark.parametrize("path", ["/register/", "/register/abc", "/register/-1", "/x", "/runs/"])
async def test_other_paths_are_not_found(port, path):
    status, headers, body = await ask(port, path)

    assert (status, body) == (404, b"404 page not found\n")
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"


async def test_an_untidy_path_is_redirected(port):
    status, headers, _ = await ask(port, "//register/1?x=y")

    assert (status, headers["location"]) == (301, "/register/1?x=y")


@pytest.mark.parametrize("method", ["POST", "HEAD"])
async def test_other_methods_are_refused(port, method):
    status, _, _ = await ask(port, "/register/1", method=method)

    assert status == 400  # the Go server says 405; picows parses GET only


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
        (
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 12",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
        (
            "Connection: close",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
        (
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: short",
        ),
    ],
)
async def test_a_bad_handshake_is_a_bad_request(port, lines):
    status, headers, body = await ask(port, "/register/1", *lines, upgrade=False)

    assert (status, body) == (400, b"Bad Request\n")
    assert headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize(
    ("path", "lines", "status"),
    [
        ("/register/1", [f"Authorization: {GOOD}"], 101),
        ("/register/1", [f"Authorization: {GOOD.replace('Basic', 'bAsIc')}"], 101),
        (f"/register/1{QUERY}", [], 101),
        (f"/register/1{QUERY}", ["Authorization: Bearer x"], 101),
        (f"/register/1{QUERY}", ["Authorization: Basic ???"], 101),
        (f"/register/1{QUERY}", [f"Authorization: {BAD}"], 401),
        ("/register/1", [f"Authorization: {BAD}"], 401),
        ("/register/1", ["Authorization: Bearer a-token"], 401),
        ("/register/1?username=agent&password=", [], 401),
        ("/register/1", [], 401),
        ("/runs/r", [f"Authorization: {GOOD}"], 101),
        ("/runs/r", ["Authorization: Bearer a-token"], 101),
        ("/runs/r", ["Authorization: bearer a-token"], 101),
        ("/runs/r", ["Authorization: Bearer another"], 401),
        ("/runs/r", ["Authorization: Bearer"], 401),
        (f"/runs/r{QUERY}", [], 101),
        ("/runs/r", [], 401),
    ],
)
async def test_credentials_decide(guarded, path, lines, status):
    answer = await ask(guarded, path, *lines)

    assert answer[0] == status


async def test_the_refusal_is_testsyncs_own(guarded):
    status, headers, body = await ask(guarded, "/register/1")

    assert (status, body) == (401, REFUSED)
    assert headers["content-type"] == "application/json; charset=UTF-8"
    assert "www-authenticate" not in headers


async def test_credentials_come_before_the_handshake(guarded):
    assert (await ask(guarded, "/register/1", upgrade=False))[0] == 401
    assert (await ask(guarded, f"/register/1{QUERY}", upgrade=False))[0] == 400


async def test_with_a_token_alone_our_path_wants_it():
    async with serving(api_token="a-token") as port:
        assert (await ask(port, "/runs/r"))[0] == 401
        assert (await ask(port, "/register/1"))[0] == 101


@pytest.mark.parametrize(
    ("path", "origin", "status"),
    [
        ("/register/1", "http://elsewhere.example", 101),
        ("/runs/r", "http://elsewhere.example", 403),
        ("/runs/r", "http://[", 403),
        ("/runs/r", "null", 403),
        ("/runs/r", "http://localhost:3000", 101),
        ("/runs/r", "http://127.0.0.1", 101),
        ("/runs/r", "http://[::1]:80", 101),
    ],
)
async def test_pages_from_elsewhere_stay_out_of_our_path(port, path, origin, status):
    assert (await ask(port, path, f"Origin: {origin}"))[0] == status


async def test_a_page_with_credentials_may_come_from_anywhere(guarded):
    lines = ("Origin: http://elsewhere.example", f"Authorization: {GOOD}")

    assert (await ask(guarded, "/runs/r", *lines))[0] == 101


async def test_an_id_beyond_64_bits_is_told_so(port):
    client = await Raw.upgraded(port, "/register/9223372036854775808")

    opcode, payload = await client.hear()

    assert (opcode, payload[:2]) == (CLOSE, (1008).to_bytes(2))
    assert payload[2:] == b"testID: expected an integer of 64 bits, found a larger one"
    assert await client.ended()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/runs/%20", b"run: expected a name, found an empty one\n"),
        (f"/runs/{'x' * 201}", b"run: expected at most 200 characters, found 201\n"),
        ("/runs/r?worker=", b"worker: expected a name, found an empty one\n"),
    ],
)
async def test_names_that_cannot_be_are_refused(port, path, message):
    status, _, body = await ask(port, path)

    assert (status, body) == (400, message)


async def test_a_runs_name_is_percent_decoded(port):
    client = await Raw.upgraded(port, "/runs/a%2Fb%20%C3%A9")
    client.say('{"command":"wait_checkpoint","content":{"identifier":"x","target_count":1}}')
    await client.hear()

    assert port.meetings.arrived[0].run == "a/b é"


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /register/1 HTTP/1.0\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /register/1 HTTP/1.1\r\nx\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_a_bad_request(port, request_line):
    client = await Raw.connect(port)
    client.writer.write(request_line)

    assert (await client.reader.read()).startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_a_request_without_end_is_cut_off(port):
    client = await Raw.connect(port)
    client.writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000)

    assert await client.ended()
