"""Every command over HTTP, on memory twins: what it answers, and what it says to bad input."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import jsonschema
import msgspec
import pytest

from syncsvc.coordination.operations.operation import Caller, Operation, Reply, Request
from syncsvc.errors import Unavailable
from syncsvc.gateway.app import build_api
from syncsvc.gateway.commands import Commands
from syncsvc.gateway.openapi import document
from tests.support.operations import memory_operations, shapes_of_operations

OPERATIONS = shapes_of_operations()


@pytest.fixture
async def operations() -> dict[str, Operation]:
    return memory_operations()


@pytest.fixture
async def http(operations) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_api([], Commands(operations)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def call(http, command, content, *, run="r", headers=None) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return await http.post(f"/api/v1/runs/{run}/{command}", content=body, headers=headers)


def message(answer: httpx.Response) -> str:
    return answer.json()["error"]["message"]


async def test_counters_count(http):
    await call(http, "counter.add", {"name": "c", "delta": 2})
    answer = await call(http, "counter.add", {"name": "c"})

    assert (answer.status_code, answer.json()) == (200, {"name": "c", "value": 3})
    assert (await call(http, "counter.get", {"name": "c"})).json() == {"name": "c", "value": 3}
    waited = await call(http, "counter.wait", {"name": "c", "at_least": 4, "wait_seconds": 0})
    assert waited.json() == {"name": "c", "value": 3, "reached": False}


async def test_signals_are_sent_and_waited_for(http):
    sent = await call(http, "signal.send", {"name": "s", "request": "1"})
    again = await call(http, "signal.send", {"name": "s", "request": "1"})
    content = {"name": "s", "target": 2, "wait_seconds": 1}

    both = await call(http, "signal.send_and_wait", content)

    assert sent.json() == again.json() == {"name": "s", "seq": 1}
    assert both.json() == {"name": "s", "seq": 2, "count": 2, "reached": True}
    waited = await call(http, "signal.wait", {**content, "target": 3, "wait_seconds": 0})
    assert waited.json() == {"name": "s", "count": 2, "reached": False}


async def test_topics_are_published_to_and_read(http):
    published = await call(http, "topic.publish", {"name": "t", "payload": {"a": [1]}})

    read = (await call(http, "topic.read", {"name": "t"})).json()

    assert published.json() == {"name": "t", "offset": 1}
    at = read["entries"][0].pop("at")
    assert at == 1767268800000
    assert read == {
        "name": "t",
        "entries": [{"offset": 1, "payload": {"a": [1]}}],
        "next": 1,
        "oldest": 1,
    }


async def test_data_is_put_read_listed_watched_and_deleted(http):
    content = {"name": "n", "value": {"a": 1e3}, "if_version": 0}
    version = (await call(http, "data.put", content, headers={"worker": "w"})).json()["version"]

    entry = {"name": "n", "version": version, "worker": "w"}
    assert (await call(http, "data.get", {"name": "n"})).json() == {"value": {"a": 1e3}, **entry}
    listed = await call(http, "data.list", {"limit": 1})
    assert listed.json() == {"entries": [entry], "next": "n"}
    watched = (await call(http, "data.watch", {"name": "n", "wait_seconds": 0})).json()
    assert (watched["changed"], watched["value"], watched["deleted"]) == (True, {"a": 1e3}, False)
    deleted = await call(http, "data.delete", {"name": "n", "if_version": version})
    assert deleted.json()["version"] > version
    watched = await call(
        http, "data.watch", {"name": "n", "after_version": version, "wait_seconds": 0}
    )
    assert watched.json() == {
        "name": "n",
        "changed": True,
        "value": None,
        "version": deleted.json()["version"],
        "deleted": True,
    }


async def test_a_write_behind_a_fence_needs_the_newest_token(http):
    def put(lease, token):
        fence = {"lease": lease, "token": token}
        return call(http, "data.put", {"name": "n", "value": 1, "fence": fence})

    granted = await call(http, "lock.acquire", {"name": "db", "worker": "w"})
    newest = granted.json()["token"]
    assert (await put("lock/db", newest)).status_code == 200
    stale, strange = await put("lock/db", newest - 1), await put("leader/db", newest)
    unclear = await put("db", newest)

    assert (stale.status_code, strange.status_code, unclear.status_code) == (409, 409, 400)
    assert message(stale) == (
        f"fence.token: expected {newest}, the newest granted, found {newest - 1}"
    )
    assert message(unclear) == "fence.lease: expected leader/NAME or lock/NAME, found 'db'"


async def test_workers_come_beat_and_go(http):
    joined = await call(http, "presence.join", {"worker": "ä", "about": {"host": "x"}})
    beaten = await call(http, "presence.beat", {}, headers={"worker": "ä".encode()})
    listed = (await call(http, "presence.list", {})).json()
    left = await call(http, "presence.leave", {"worker": "ä"})

    assert beaten.json() == {"worker": "ä"}
    present = {"worker": "ä", "since": 1767268800000, "about": {"host": "x"}}
    assert listed == {"version": joined.json()["version"], "workers": [present]}
    assert left.json()["version"] > listed["version"]
    assert (await call(http, "presence.beat", {"worker": "ä"})).status_code == 404


async def test_who_asks_must_be_known_where_it_matters(http):
    answer = await call(http, "presence.join", {})

    assert answer.status_code == 400
    assert message(answer) == "worker: expected the name of the worker that asks, found none"


async def test_an_empty_body_is_an_empty_request(http):
    assert (await call(http, "presence.list", b"")).json() == {"version": 0, "workers": []}


async def test_a_run_may_have_a_slash_in_its_name(http):
    await call(http, "counter.add", {"name": "c"}, run="team/nightly")

    assert (await call(http, "counter.get", {"name": "c"}, run="team/nightly")).json()["value"] == 1
    assert (await call(http, "counter.get", {"name": "c"}, run="nightly")).json()["value"] == 0


async def test_commands_are_listed_with_what_they_are_for(http):
    commands = (await http.get("/api/v1/commands")).json()["commands"]

    assert [each["command"] for each in commands] == sorted(OPERATIONS)
    assert all(each["summary"].endswith(".") for each in commands)


async def test_an_unknown_command_is_told_what_is_near(http):
    answer = await call(http, "counter.ad", {})

    assert answer.status_code == 404
    assert "counter.add" in message(answer)
    assert message(answer).startswith("command: expected one of GET /api/v1/commands")


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ("x" * 201, "run: expected at most 200 characters"),
        ("%20", "run: expected a name"),
        ("%00", "run: expected printable characters"),
    ],
)
async def test_a_run_needs_a_name(http, run, says):
    answer = await call(http, "counter.get", {"name": "c"}, run=run)

    assert answer.status_code == 400
    assert message(answer).startswith(says)


@pytest.mark.parametrize("header", [b"\xff", b"x" * 201, b" "])
async def test_a_worker_in_the_header_needs_a_name(http, header):
    answer = await call(http, "presence.list", {}, headers={"worker": header})

    assert answer.status_code == 400
    assert message(answer).startswith("worker: expected")


LEASE = {"name": "n", "worker": "w"}
TOKEN = {**LEASE, "token": 1}
POINT = {"name": "n", "worker": "w"}
SAMPLES = {
    "checkpoint.wait": {**POINT, "target": 1},
    "checkpoint.status": {"name": "n"},
    "checkpoint.abort": {"name": "n", "reason": "because"},
    "checkpoint.leave": POINT,
    "checkpoint.reset": {"name": "n"},
    "lock.acquire": LEASE,
    "lock.renew": TOKEN,
    "lock.release": TOKEN,
    "lock.status": {"name": "n"},
    "rwlock.acquire": {**LEASE, "mode": "read"},
    "rwlock.renew": TOKEN,
    "rwlock.release": TOKEN,
    "rwlock.status": {"name": "n"},
    "semaphore.acquire": {**LEASE, "limit": 2},
    "semaphore.renew": TOKEN,
    "semaphore.release": TOKEN,
    "semaphore.status": {"name": "n"},
    "leader.campaign": LEASE,
    "leader.renew": TOKEN,
    "leader.resign": TOKEN,
    "leader.observe": {"name": "n"},
    "data.put": {"name": "n", "value": 1},
    "data.get": {"name": "n"},
    "data.delete": {"name": "n"},
    "data.list": {},
    "data.watch": {"name": "n", "wait_seconds": 0},
    "counter.add": {"name": "n"},
    "counter.get": {"name": "n"},
    "counter.wait": {"name": "n", "at_least": 0, "wait_seconds": 0},
    "signal.send": {"name": "n"},
    "signal.wait": {"name": "n", "target": 1, "wait_seconds": 0},
    "signal.send_and_wait": {"name": "n", "target": 1, "wait_seconds": 0},
    "topic.publish": {"name": "n", "payload": 1},
    "topic.read": {"name": "n"},
    "presence.join": {"worker": "w"},
    "presence.beat": {"worker": "w"},
    "presence.leave": {"worker": "w"},
    "presence.list": {},
}


def field_names(operation: Operation) -> list[str]:
    return [field.name for field in msgspec.structs.fields(operation.takes)]


def is_json(operation: Operation, field: str) -> bool:
    (found,) = [f for f in msgspec.structs.fields(operation.takes) if f.name == field]
    return found.type is msgspec.Raw


def fields(*, json_too: bool = False):
    return [
        pytest.param(name, field, id=f"{name}-{field}")
        for name, operation in OPERATIONS.items()
        for field in field_names(operation)
        if json_too or not is_json(operation, field)
    ]


def test_there_is_a_sample_of_every_command():
    assert SAMPLES.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("command", SAMPLES)
async def test_every_sample_is_taken_and_answered_in_the_shape_of_the_document(http, command):
    await call(http, "presence.join", {"worker": "w"})
    await call(http, "data.put", {"name": "n", "value": 1})

    sample = await with_token(http, command)

    answer = await call(http, command, sample)

    assert answer.status_code == 200
    described = document(OPERATIONS)
    post = described["paths"][f"/api/v1/runs/{{run}}/{command}"]["post"]
    gives = post["responses"]["200"]["content"]["application/json"]["schema"]
    takes = post["requestBody"]["content"]["application/json"]["schema"]
    _check(described, takes, sample)
    _check(described, gives, answer.json())


async def with_token(http, command) -> dict[str, object]:
    """Give a sample; one that needs a lease gets the token of one that was granted."""
    if "token" not in SAMPLES[command]:
        return SAMPLES[command]
    kind = command.partition(".")[0]
    taking = "leader.campaign" if kind == "leader" else f"{kind}.acquire"
    granted = await call(http, taking, SAMPLES[taking])
    return {**SAMPLES[command], "token": granted.json()["token"]}


def _check(described, schema, instance) -> None:
    jsonschema.validate(instance, {**schema, "components": described["components"]})


@pytest.mark.parametrize(("command", "field"), fields())
@pytest.mark.parametrize(
    "wrong",
    [
        {"a": 1},
        [1],
        True,
        pytest.param(-1.5, id="negative"),
        pytest.param(10**30, id="huge"),
        pytest.param("\ud83d", id="surrogate"),
    ],
)
async def test_a_wrong_type_or_number_is_refused_by_field(http, command, field, wrong):
    wrong = 1 if field == "cyclic" and wrong is True else wrong

    answer = await call(http, command, {**SAMPLES[command], field: wrong})

    assert answer.status_code == 400
    assert message(answer).startswith((field, "content: expected JSON"))


@pytest.mark.parametrize("literal", [b"1e999", b"9" * 5000, b"-" + b"9" * 5000])
@pytest.mark.parametrize(("command", "field"), fields(json_too=True))
async def test_a_number_that_no_machine_holds_is_refused_by_field(http, command, field, literal):
    others = {k: v for k, v in SAMPLES[command].items() if k != field}
    body = json.dumps({**others, field: "here"}).encode().replace(b'"here"', literal)

    answer = await call(http, command, body)

    assert answer.status_code == 400
    assert message(answer).startswith(field)


@pytest.mark.parametrize("command", SAMPLES)
async def test_an_unknown_field_is_refused_by_name(http, command):
    answer = await call(http, command, {**SAMPLES[command], "colour": 1})

    assert answer.status_code == 400
    assert message(answer) == "colour: no such field"


@pytest.mark.parametrize(
    ("command", "field"),
    [(command, field) for command, sample in SAMPLES.items() for field in sample],
)
async def test_a_missing_field_is_named(http, command, field):
    others = {k: v for k, v in SAMPLES[command].items() if k != field}

    answer = await call(http, command, others)

    assert answer.status_code == 400
    assert message(answer).startswith(f"{field}: expected")


@pytest.mark.parametrize("name", ["x" * 1_000_000, "", " ", "a\nb", "\0"])
@pytest.mark.parametrize(
    ("command", "field"),
    [(c, f) for c in SAMPLES for f in ("name", "worker") if f in SAMPLES[c]],
)
async def test_a_name_that_cannot_be_is_refused_by_field(http, command, field, name):
    answer = await call(http, command, {**SAMPLES[command], field: name})

    assert answer.status_code == 400
    assert message(answer).startswith(f"{field}: ")
    assert len(message(answer)) < 300


@pytest.mark.parametrize("command", SAMPLES)
@pytest.mark.parametrize("worker", ["x" * 1_000_000, ""], ids=["long", "empty"])
async def test_a_worker_is_a_name_also_where_nobody_asks_for_it(http, command, worker):
    answer = await call(http, command, {**SAMPLES[command], "worker": worker})

    assert answer.status_code == 400
    assert message(answer).startswith("worker: ")


@pytest.mark.parametrize("command", SAMPLES)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"name": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"value": ' + b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b"}",
        b"nonsense",
        b"\xff\xfe",
        b"null",
        b'{"name": "n"',
        b'"name"',
        b"{}{}",
    ],
    ids=["open", "deep-name", "deep-value", "words", "bytes", "null", "cut", "text", "two"],
)
async def test_what_is_no_request_is_refused(http, command, body):
    answer = await call(http, command, body)

    assert answer.status_code == 400
    assert ":" in message(answer)


@pytest.mark.parametrize(
    ("command", "field"), [("data.put", "value"), ("topic.publish", "payload")]
)
@pytest.mark.parametrize(
    "value", [b'"\xff"', b"[" * 100_000 + b"]" * 100_000, b"[1e999]", b"[NaN]", b'"\\ud800"']
)
async def test_json_that_a_reader_could_not_read_is_not_taken(http, command, field, value):
    answer = await call(http, command, b'{"name": "n", "%s": %s}' % (field.encode(), value))

    assert answer.status_code == 400
    assert message(answer).startswith((field, "content: expected JSON"))


async def test_a_body_has_a_limit(http):
    answer = await call(http, "data.put", {"name": "n", "value": "x" * 2 * 1024 * 1024})

    assert answer.status_code == 413
    assert message(answer).startswith("body: expected at most 2097152 bytes")


@pytest.mark.parametrize(
    ("command", "field", "size"),
    [
        ("data.put", "value", 1024 * 1024),
        ("topic.publish", "payload", 256 * 1024),
        ("presence.join", "about", 4096),
    ],
)
async def test_what_is_too_large_is_refused_by_field(http, command, field, size):
    answer = await call(http, command, {**SAMPLES[command], field: "x" * size})

    assert answer.status_code == 413
    assert message(answer).startswith(f"{field}: expected at most {size} bytes")


class Ping(Request, frozen=True):
    pass


class Pong(Reply, frozen=True):
    pass


async def test_what_is_not_there_now_is_said_to_come_later():
    async def unavailable(_caller: Caller, _asked: Ping) -> Pong:
        raise Unavailable("Redis did not serve", retry_after=timedelta(seconds=2))

    operations = {"ping": Operation("ping", "Answers.", Ping, Pong, unavailable)}
    transport = httpx.ASGITransport(build_api([], Commands(operations)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await call(http, "ping", {})

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"


async def test_a_client_that_hangs_up_cancels_what_waits():
    waits, gone = asyncio.Event(), asyncio.Event()

    async def wait(_caller: Caller, _asked: Ping) -> Pong:
        waits.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()
        return Pong()

    app = build_api([], Commands({"wait": Operation("wait", "Waits.", Ping, Pong, wait)}))
    messages = asyncio.Queue()

    async def send(_message) -> None:
        """Nobody reads it any more."""

    serving = asyncio.create_task(app(_scope("/api/v1/runs/r/wait"), messages.get, send))
    await messages.put({"type": "http.request", "body": b"{}", "more_body": False})
    await asyncio.wait_for(waits.wait(), 30)
    await messages.put({"type": "http.disconnect"})

    await asyncio.wait_for(gone.wait(), 30)
    await asyncio.wait_for(serving, 30)


def _scope(path: str) -> dict[str, object]:
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "server": ("localhost", 80),
    }
