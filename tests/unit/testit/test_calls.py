"""One call to Test IT: through its gate, on the surface that it has, done once if need be."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from syncsvc.adapters.testit.calls import LARGEST_BODY, Ask, TestItCalls, read
from syncsvc.adapters.testit.destinations import TestItDestinations
from syncsvc.errors import (
    Conflict,
    Denied,
    Rejected,
    TooLarge,
    Unavailable,
    Uncertain,
    Unknown,
)
from syncsvc.runs.model import Destination
from tests.support.gates import OpenGate

BASE = "https://testit.example/tms"
SERVER = Destination(BASE, "token")
ONCE = Ask("POST", "/testRuns", json={}, once=True)
READ = Ask("GET", "/testRuns/1")


async def no_pause(_seconds: float) -> None:
    """Let no time pass."""


class Server:
    """Answers with each of these in turn, the last for ever; what is an error is raised."""

    def __init__(self, *answers: object, gate: OpenGate | None = None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.gate = gate or OpenGate()
        self.within: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        self.within.append(self.gate.within)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(answer, json={})

    def calls(self) -> TestItCalls:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return TestItCalls(http, TestItDestinations(None, None), self.gate, no_pause, lambda: 0.5)


async def test_every_request_passes_the_gate_of_its_server():
    server = Server(404, 503, 200)

    await server.calls().call(SERVER, READ)

    assert server.gate.passed == [BASE] * 3
    assert server.within == [1, 1, 1]
    assert server.gate.within == 0


async def test_the_gate_is_not_held_during_a_pause():
    server = Server(503, 200)
    calls = server.calls()
    held = []

    async def pause(_seconds: float) -> None:
        held.append(server.gate.within)

    calls.pause = pause
    await calls.call(SERVER, READ)

    assert held == [0]


async def test_who_does_not_pass_the_gate_asks_nothing_and_is_certain_of_it():
    class Closed(OpenGate):
        @asynccontextmanager
        async def passing(self, place):
            raise Unavailable("no turn", retry_after=timedelta(seconds=3))
            yield

    server = Server(200, gate=Closed())

    with pytest.raises(Unavailable) as raised:
        await server.calls().call(SERVER, ONCE)

    assert type(raised.value) is Unavailable
    assert server.asked == []


async def test_an_answer_counts_even_if_the_gate_fails_afterwards():
    class Forgetful(OpenGate):
        @asynccontextmanager
        async def passing(self, place):
            yield
            raise Unavailable("the memory of the gates is gone")

    answer = await Server(200, gate=Forgetful()).calls().call(SERVER, ONCE)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("status", "headers", "pause"),
    [
        (429, {"Retry-After": "7"}, 7),
        (429, {}, 1),
        (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 1),
        (503, {"Retry-After": "2"}, 2),
    ],
)
async def test_a_pause_that_the_server_asks_for_is_everybodys(status, headers, pause):
    server = Server(httpx.Response(status, headers=headers))

    with pytest.raises(Unavailable):
        await server.calls().call(SERVER, READ)

    assert server.gate.pauses == [(BASE, timedelta(seconds=pause))]
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 408])
async def test_other_failures_ask_for_no_pause(status):
    server = Server(status)

    with pytest.raises(Unavailable):
        await server.calls().call(SERVER, READ)

    assert server.gate.pauses == []


async def test_the_old_surface_has_its_own_spelling():
    server = Server(404, 200)
    ask = Ask("POST", "/testRuns/1/test-results", json=[], old_path="/testRuns/1/testResults")
    calls = server.calls()

    await calls.call(SERVER, ask)
    await calls.call(SERVER, ask)

    assert server.asked == [
        "POST /tms/adapters/testRuns/1/test-results",
        "POST /tms/api/v2/testRuns/1/testResults",
        "POST /tms/api/v2/testRuns/1/testResults",
    ]


async def test_what_is_unknown_on_both_surfaces_says_nothing_about_the_server():
    server = Server(404, 404, 200, 404)
    calls = server.calls()

    with pytest.raises(Unknown):
        await calls.call(SERVER, READ)
    await calls.call(SERVER, READ)
    with pytest.raises(Unknown):
        await calls.call(SERVER, READ)

    assert [asked.split("/")[2] for asked in server.asked] == [
        "adapters",
        "api",
        "adapters",
        "adapters",
    ]


@pytest.mark.parametrize(
    "absent", [405, httpx.Response(200, html="<p>Test IT</p>"), httpx.Response(404)]
)
async def test_a_web_application_in_the_place_of_a_surface_is_none(absent):
    server = Server(absent, 200)

    await server.calls().call(SERVER, ONCE)

    assert server.asked[-1] == "POST /tms/api/v2/testRuns"


async def test_a_page_for_an_answer_settles_nothing():
    page = httpx.Response(200, html="<p>back soon</p>")
    server = Server(page, page, 200)
    calls = server.calls()

    with pytest.raises(Unavailable, match="in a shape we do not know"):
        read(await calls.call(SERVER, READ), lambda body: body["id"])
    await calls.call(SERVER, READ)

    assert server.asked[-1] == "GET /tms/adapters/testRuns/1"


async def test_surfaces_are_known_by_server():
    server = Server(404, 200, 200)
    calls = server.calls()

    await calls.call(SERVER, READ)
    await calls.call(Destination("https://other.example", "token"), READ)

    assert server.asked[-1] == "GET /adapters/testRuns/1"


@pytest.mark.parametrize(
    "failure",
    [
        408,
        500,
        502,
        504,
        520,
        httpx.ReadTimeout("slow"),
        httpx.WriteTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.RemoteProtocolError("gone"),
        httpx.DecodingError("garbled"),
    ],
)
async def test_what_may_have_been_done_is_uncertain_and_asked_once(failure):
    server = Server(failure)

    with pytest.raises(Uncertain):
        await server.calls().call(SERVER, ONCE)

    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("failure", "asked"),
    [
        (503, 4),
        (429, 1),
        (httpx.ConnectError("refused"), 1),
        (httpx.ConnectTimeout("slow"), 1),
        (httpx.PoolTimeout("full"), 1),
        (httpx.ProxyError("502"), 1),
    ],
)
async def test_what_was_certainly_not_done_is_not_uncertain(failure, asked):
    server = Server(failure)

    with pytest.raises(Unavailable) as raised:
        await server.calls().call(SERVER, ONCE)

    assert not isinstance(raised.value, Uncertain)
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, Denied),
        (403, Denied),
        (404, Unknown),
        (409, Conflict),
        (413, TooLarge),
        (422, Rejected),
        (302, Rejected),
    ],
)
@pytest.mark.parametrize("ask", [READ, ONCE])
async def test_a_refusal_is_the_same_for_what_is_done_once(status, kind, ask):
    with pytest.raises(kind) as raised:
        await Server(status).calls().call(SERVER, ask)

    assert type(raised.value) is kind


async def test_an_unreadable_answer_to_what_is_done_once_is_uncertain():
    answer = await Server(httpx.Response(200, text="?")).calls().call(SERVER, ONCE)

    with pytest.raises(Uncertain):
        read(answer, lambda body: body["id"], once=True)
    with pytest.raises(Unavailable):
        read(answer, lambda body: body["id"])


@pytest.mark.parametrize(("once", "kind"), [(True, Uncertain), (False, Unavailable)])
async def test_a_server_that_answers_without_end_is_left(once, kind):
    async def never(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    http = httpx.AsyncClient(transport=httpx.MockTransport(never))
    calls = TestItCalls(http, TestItDestinations(None, None), OpenGate(), no_pause)
    calls.limit = timedelta(milliseconds=10)

    with pytest.raises(kind, match="did not answer POST /tms/adapters/testRuns within") as raised:
        await calls.call(SERVER, Ask("POST", "/testRuns", json={}, once=once))

    assert type(raised.value) is kind


async def test_a_body_is_measured_before_it_is_sent():
    server = Server(200)

    with pytest.raises(TooLarge, match=str(LARGEST_BODY)):
        await server.calls().call(SERVER, Ask("POST", "/x", json="x" * LARGEST_BODY))

    assert server.asked == []


async def test_a_text_that_is_no_unicode_is_rejected():
    with pytest.raises(Rejected, match="no Unicode"):
        await Server(200).calls().call(SERVER, Ask("POST", "/x", json={"message": "\ud800"}))


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (httpx.ReadTimeout(""), "no answer within 10 s"),
        (httpx.WriteTimeout(""), "not taken within 10 s"),
        (httpx.ConnectTimeout(""), "no connection within 3 s"),
    ],
)
async def test_a_wait_in_vain_is_told_with_its_length(failure, told):
    calls = Server(failure).calls()
    calls.http.timeout = httpx.Timeout(10, connect=3)

    with pytest.raises(Unavailable) as raised:
        await calls.call(SERVER, READ)

    assert str(raised.value) == f"Test IT did not answer GET /tms/adapters/testRuns/1: {told}"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_token_that_is_refused_is_told_with_what_happens_next(status):
    with pytest.raises(Denied) as raised:
        await Server(status).calls().call(SERVER, READ)

    told = str(raised.value)
    assert f"Test IT answered {status}" in told
    assert "pending are tried again by themselves" in told
    assert "dead by 'syncsvc results retry'" in told
