"""Requests as HTTP allows to put them: each spelling is understood like the plain one."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from syncsvc.wiring.gateway import Gateway
from tests.protocol.clients.replay import Answer, Request, Wire, hear

REGISTER = '{"pid":"<worker-1>","testRunId":"<run>"}'
POST = "POST /register HTTP/1.1"
H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAA")
LENGTH = "Content-Length: <length>"


@pytest.fixture
async def wire(gateway: Gateway, run_id: str) -> AsyncIterator[Wire]:
    opened = Wire(gateway.sync_storage_port, run_id)
    yield opened
    await opened.close()


async def registered(wire: Wire, *head: str, body: str = REGISTER) -> Answer:
    answer = await wire.say(Request(1, head, body))
    assert answer.status_line == "HTTP/1.1 200 OK", answer
    assert answer.json["testRunId"] == wire.run
    return answer


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(("Host: <host>", LENGTH), id="no content type"),
        pytest.param(("host: <host>", "content-length: <length>"), id="lower case"),
        pytest.param(("HOST: <host>", "CONTENT-LENGTH: <length>"), id="upper case"),
        pytest.param(("Host: <host>", LENGTH, "Accept: text/plain"), id="accepts text"),
        pytest.param(("Host: <host>", LENGTH, "Accept: application/xml;q=0.9"), id="accepts XML"),
        pytest.param(
            ("Host: <host>", LENGTH, 'Content-Type: application/json; charset="UTF-8"'),
            id="charset in quotes",
        ),
        pytest.param(("Host: <host>", LENGTH, "Content-Type: text/plain"), id="typed as text"),
        pytest.param(("Host: <host>", "Transfer-Encoding: chunked"), id="chunked"),
        pytest.param(("Host: <host>", LENGTH, "Expect: 100-continue"), id="expects 100"),
        pytest.param(("Host: <host>", LENGTH, *H2C), id="offers HTTP/2"),
        pytest.param(("Host: <host>", "Transfer-Encoding: chunked", *H2C), id="offers it, chunked"),
        pytest.param(("Host: elsewhere:1", LENGTH), id="another host"),
    ],
)
async def test_headers_of_any_spelling_are_understood(wire, headers):
    await registered(wire, POST, *headers)
    again = await registered(wire, POST, *headers)

    assert again.json["is_master"] is True
    assert wire.still_open() == [1]


async def test_an_offer_of_http_2_is_declined_and_the_connection_goes_on_plain(wire):
    await registered(wire, POST, "Host: <host>", LENGTH, *H2C)

    health = await wire.say(Request(1, ("GET /health HTTP/1.1", "Host: <host>", *H2C)))
    plain = await wire.say(Request(1, ("GET /health HTTP/1.1", "Host: <host>")))

    assert [health.status_line, plain.status_line] == ["HTTP/1.1 200 OK"] * 2
    assert wire.still_open() == [1]


async def test_an_offer_whose_body_is_no_http_is_400(wire):
    request = Request(
        1,
        (POST, "Host: <host>", "Transfer-Encoding: chunked ", *H2C),
        "this is no chunk\r\n",
    )

    answer = await wire.say(request)

    assert answer.status_line.startswith("HTTP/1.1 400 ")


async def test_http_1_0_is_answered_and_its_connection_ends(wire):
    request = Request(1, ("POST /register HTTP/1.0", "Connection: close", LENGTH), REGISTER)

    answer = await wire.say(request)

    assert answer.status_line == "HTTP/1.1 200 OK"


async def test_a_whole_address_in_the_request_line_is_understood(wire):
    """Clients say it so to a proxy; Python's health check obeys HTTP_PROXY."""
    await registered(wire, "POST http://<host>/register HTTP/1.1", "Host: <host>", LENGTH)


async def test_the_sixth_protocol_is_served_as_well(gateway, run_id):
    wire = Wire(gateway.sync_storage_port, run_id, host="::1")

    await registered(wire, POST, "Host: <host>", LENGTH)

    await wire.close()


async def test_a_body_may_have_spaces_escapes_and_fields_of_tomorrow(wire):
    body = '\r\n{ "test\\u0052unId" : "<run>", "agent": {"deep": [null]}, "pid" : "a\\/b" }\n'

    heard = await registered(wire, POST, "Host: <host>", LENGTH, body=body)

    assert heard.json["pid"] == "a/b"


@pytest.mark.parametrize(
    ("written", "run"),
    [
        ("run%2Fone%20two", "run/one two"),
        ("run+one", "run one"),
        ("%D1%82%D0%B5%D1%81%D1%82", "тест"),
        ("run%26testRunId%3Dother", "run&testRunId=other"),
    ],
)
async def test_a_run_in_the_query_may_be_percent_encoded(gateway, api, written, run):
    wire = Wire(gateway.sync_storage_port, run)
    await registered(wire, POST, "Host: <host>", LENGTH)
    line = f"POST /in_progress_test_result?testRunId={written} HTTP/1.1"

    answer = await wire.say(
        Request(1, (line, "Host: <host>", LENGTH), json.dumps({"autoTestExternalId": "a"}))
    )

    assert answer.status_line == "HTTP/1.1 200 OK"
    page = await api.get("/api/v1/results", params={"run": run})
    assert [each["external_id"] for each in page.json()["results"]] == ["a"]
    await wire.close()


async def test_an_offer_that_comes_byte_by_byte_is_declined_too(wire):
    head, body = wire.raw(Request(1, (POST, "Host: <host>", LENGTH, *H2C), REGISTER))
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)

    for byte in head + body:
        writer.write(bytes([byte]))
        await asyncio.sleep(0)
    status_line, _, answer = await asyncio.wait_for(hear(Request(1, ()), reader), 60)

    assert (status_line, json.loads(answer)["testRunId"]) == ("HTTP/1.1 200 OK", wire.run)
    writer.close()


async def test_a_request_that_a_proxy_would_pass_on_is_400(wire):
    answer = await wire.say(Request(1, ("CONNECT <host> HTTP/1.1", "Host: <host>")))

    assert answer.status_line == "HTTP/1.1 400 Bad Request"
