"""Commands over real HTTP, with everything behind them."""

import asyncio
import json
import uuid

import httpx
import pytest


@pytest.fixture
def run() -> str:
    return f"run/{uuid.uuid4().hex}"


@pytest.fixture
def call(api: httpx.AsyncClient, run: str):
    async def ask(command: str, **content: object) -> dict[str, object]:
        answer = await api.post(f"/api/v1/runs/{run}/{command}", json=content, timeout=100)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


async def test_a_long_poll_is_answered_when_it_happens(call):
    waiting = asyncio.create_task(call("signal.wait", name="s", target=2, wait_seconds=60))

    await call("signal.send", name="s")
    await call("signal.send", name="s")

    async with asyncio.timeout(30):
        assert await waiting == {"name": "s", "count": 2, "reached": True}


async def test_workers_meet_at_a_checkpoint(call):
    arrivals = [call("checkpoint.wait", name="c", worker=f"w{i}", target=3) for i in range(3)]

    async with asyncio.timeout(30):
        outcomes = await asyncio.gather(*arrivals)

    assert [outcome["outcome"] for outcome in outcomes] == ["released"] * 3


async def test_who_is_present_and_has_not_arrived_is_missing(call):
    await call("presence.join", worker="late")
    waiting = asyncio.create_task(
        call("checkpoint.wait", name="c", worker="early", target=2, timeout_seconds=60)
    )
    while (status := await call("checkpoint.status", name="c"))["state"] != "open":
        pass

    assert status["missing"] == ["late"]
    await call("checkpoint.wait", name="c", worker="late", target=2)
    assert (await waiting)["outcome"] == "released"


async def test_a_client_that_hangs_up_leaves_the_line(gateway, call, run):
    await call("lock.acquire", name="l", worker="holder")
    reader, writer = await asyncio.open_connection("localhost", gateway.api_port)
    body = json.dumps({"name": "l", "worker": "waiter", "wait_seconds": 60}).encode()
    head = f"POST /api/v1/runs/{run}/lock.acquire HTTP/1.1\r\nHost: localhost\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    async with asyncio.timeout(30):
        while (await call("lock.status", name="l"))["waiting"] != 1:
            pass

        writer.close()

        while (await call("lock.status", name="l"))["waiting"] != 0:
            pass
    assert await reader.read() == b""


async def test_a_gateway_that_stops_tells_those_who_wait_to_ask_again(gateway, api, call, run):
    await call("lock.acquire", name="l", worker="holder")
    content = {"name": "l", "worker": "waiter", "wait_seconds": 60}
    waiting = asyncio.create_task(
        api.post(f"/api/v1/runs/{run}/lock.acquire", json=content, timeout=100)
    )
    while (await call("lock.status", name="l"))["waiting"] != 1:
        pass

    gateway.stop()

    async with asyncio.timeout(30):
        answer = await waiting
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["error"]["message"] == "this gateway stops: ask again"


async def test_a_write_of_a_holder_who_was_overtaken_is_refused(api, call, run):
    first = await call("leader.campaign", name="l", worker="a")
    await call("leader.resign", name="l", worker="a", token=first["token"])
    second = await call("leader.campaign", name="l", worker="b")

    fences = [{"lease": "leader/l", "token": each["token"]} for each in (first, second)]
    answers = [
        await api.post(
            f"/api/v1/runs/{run}/data.put", json={"name": "n", "value": 1, "fence": fence}
        )
        for fence in fences
    ]

    assert [answer.status_code for answer in answers] == [409, 200]


async def test_the_document_describes_every_command_that_is_listed(api):
    paths = (await api.get("/openapi.json")).json()["paths"]
    commands = (await api.get("/api/v1/commands")).json()["commands"]

    assert len(commands) > 35
    assert {f"/api/v1/runs/{{run}}/{each['command']}" for each in commands} <= paths.keys()
