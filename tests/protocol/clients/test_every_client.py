"""Every client of Sync Storage, its exact requests replayed: it hears what it demands.

Python and JavaScript are recordings of published packages; the rest is read in sources.
"""

import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from syncsvc.wiring.gateway import Gateway
from tests.protocol.clients.inferred import SESSIONS
from tests.protocol.clients.recorded import JAVASCRIPT, PYTHON
from tests.protocol.clients.replay import Answer, Request, Session, Wire

SHAPES = {
    "/health": {"status": str, "last_update": str},
    "/register": {
        "status": str,
        "message": str,
        "pid": str,
        "testRunId": str,
        "is_master": bool,
    },
    "/in_progress_published": {"published": bool},
    "/wait-completion": {"completed": bool, "message": str},
    "/force-completion": {"completed": bool, "message": str},
}
SAID = {"status": str, "message": str}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")  # Kotlin and Swift read no other
LIMITS = {"/wait-completion": 15.0}  # seconds, JavaScript's; Java asks for health within one
LIMIT = 1.0

pytestmark = pytest.mark.alone

ALL = [*PYTHON, *JAVASCRIPT, *SESSIONS]


@pytest.fixture
async def wire(gateway: Gateway, run_id: str) -> AsyncIterator[Wire]:
    opened = Wire(gateway.sync_storage_port, run_id)
    yield opened
    await opened.close()


def assert_as_demanded(answer: Answer) -> None:
    """Exactly 200, JSON, every field there with its type and none null, in time."""
    path = answer.request.path
    assert answer.status_line == "HTTP/1.1 200 OK", answer
    assert answer.headers["content-type"] == "application/json"
    shape = SHAPES.get(path, SAID)
    assert {name: type(value) for name, value in answer.json.items()} == shape
    assert answer.seconds < LIMITS.get(path, LIMIT)
    if path == "/health":
        assert MOMENT.fullmatch(answer.json["last_update"])


async def assert_all_is_well(wire, api, session: Session, answers: list[Answer]) -> None:
    """Every demand is met, connections stand as long as they are to, and the cut is held."""
    for answer in answers:
        assert_as_demanded(answer)
    kept = [each for each in session.requests if each.header("connection").lower() != "close"]
    assert set(wire.still_open()) == {each.connection for each in kept}
    (held,) = await results_of(api, wire.run)
    said = cut_of(session)
    assert held["external_id"] == said["autoTestExternalId"]
    assert held["status_code"] == said.get("statusCode", "")


def cut_of(session: Session) -> dict[str, str]:
    (body,) = [each.body for each in session.requests if each.path == "/in_progress_test_result"]
    return json.loads(body)


@pytest.mark.parametrize("session", [*PYTHON, *SESSIONS], ids=str)
async def test_a_whole_session_is_answered_as_its_client_demands(wire, api, session):
    answers = await wire.replay(session)

    await assert_all_is_well(wire, api, session, answers)


@pytest.mark.parametrize("session", ALL, ids=str)
async def test_its_registration_is_answered_with_its_own_names(wire, session):
    heard = (await wire.replay(upto("/register", session)))[-1]

    _, sent = wire.raw(heard.request)
    names = {name: heard.json[name] for name in ("pid", "testRunId")}
    assert names.items() <= json.loads(unchunked(sent)).items()
    assert heard.json["is_master"] is True


async def test_javascript_is_answered_as_it_demands_waits_once_and_never_forces(wire, api):
    """It would force when waiting had failed three times: waiting succeeds, done or not."""
    (session,) = JAVASCRIPT

    answers = await wire.replay(session)

    await assert_all_is_well(wire, api, session, answers)
    (waited,) = [each for each in answers if each.request.path == "/wait-completion"]
    assert waited.json["completed"] is False  # nobody delivers here


async def test_javascripts_second_worker_hears_that_the_first_has_shown_its_result(wire):
    (session,) = JAVASCRIPT
    poll = request_of(session, "/in_progress_published")
    *before, cut = upto("/in_progress_test_result", session).requests
    for request in before:
        await wire.say(request)

    unpublished = await wire.say(poll)
    await wire.say(cut)
    published = await wire.say(poll)

    assert (unpublished.json, published.json) == ({"published": False}, {"published": True})


async def test_java_that_lost_five_answers_has_five_names_and_is_the_master_in_the_last(wire, api):
    """Java takes a new name for every try of /register; it goes on with the last one."""
    java = named(SESSIONS, "Java HEAD")
    register = request_of(java, "/register")
    tries = [
        Request(number, register.head, register.body.replace("worker-1", f"worker-{number}"))
        for number in range(1, 6)
    ]

    answers = [await wire.say(each) for each in tries]

    assert [each.json["is_master"] for each in answers] == [True] * 5
    assert len(await workers_of(api, wire.run)) == 5


async def test_javascript_that_repeats_itself_is_one_worker(wire, api):
    (session,) = JAVASCRIPT
    register = request_of(session, "/register")

    answers = [await wire.say(register) for _ in range(3)]

    assert [each.json["is_master"] for each in answers] == [True] * 3
    assert len(await workers_of(api, wire.run)) == 1


WORDS = [
    ("passed", "succeeded"),
    ("xfailed", "failed"),
    ("Blocked", "INCOMPLETE"),
    ("None", "Incomplete"),
    ("NotFound", "incomplete"),
    ("Undefined", "Succeeded"),
    ("InProgress", "InProgress"),
    ("", ""),
]


@pytest.mark.parametrize(("code", "kind"), WORDS)
async def test_a_cut_is_taken_whatever_the_words_for_its_status(wire, api, code, kind):
    go = named(SESSIONS, "Go HEAD")
    await wire.replay(upto("/register", go))
    post = request_of(go, "/in_progress_test_result")
    body = json.dumps({"autoTestExternalId": "a", "statusCode": code, "statusType": kind})

    answer = await wire.say(Request(1, post.head, body))

    assert_as_demanded(answer)
    (held,) = await results_of(api, wire.run)
    assert (held["status_code"], held["status_type"]) == (code, kind)


def upto(path: str, session: Session) -> Session:
    """Give a session's beginning, with the first request of a path as its last."""
    paths = [each.path for each in session.requests]
    return Session(session.client, session.headers, session.requests[: paths.index(path) + 1])


def request_of(session: Session, path: str) -> Request:
    return next(each for each in session.requests if each.path == path)


def named(sessions: list[Session], client: str) -> Session:
    return next(each for each in sessions if each.client == client)


def unchunked(body: bytes) -> bytes:
    return body if body.startswith(b"{") else body.split(b"\r\n")[1]


async def results_of(api: httpx.AsyncClient, run: str) -> list[dict[str, str]]:
    page = await api.get("/api/v1/results", params={"run": run})
    return page.json()["results"]


async def workers_of(api: httpx.AsyncClient, run: str) -> list[dict[str, str]]:
    return (await api.get(f"/api/v1/runs/{run}")).json()["workers"]
