"""Faults on demand: latency, statuses, resets, hangs, lost answers."""

import asyncio
import time

import httpx
import pytest

from syncsvc.sandbox.identities import PROJECT_ID
from tests.protocol.sandbox.world import report

PROJECT = f"/api/v2/projects/{PROJECT_ID}"


async def statuses(world, number, path=PROJECT):
    return [(await world.http.get(path)).status_code for _ in range(number)]


async def test_a_call_is_answered_with_the_status_of_the_rule(world):
    await world.faults({"kind": "status", "code": 429, "retry_after": 7})

    reply = await world.http.get(PROJECT)

    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "7")
    assert reply.json()["status"] == 429


async def test_a_refused_call_is_not_carried_out(world):
    await world.faults({"kind": "status", "code": 503, "method": "post"})

    reply = await world.http.post("/api/v2/testRuns", json={"projectId": str(PROJECT_ID)})

    assert reply.status_code == 503
    assert (await world.ask("GET", "/__sandbox__/state"))["runs"] == []


async def test_every_third_call_is_struck(world):
    await world.faults({"kind": "status", "code": 503, "every": 3})

    assert await statuses(world, 6) == [200, 200, 503, 200, 200, 503]


async def test_a_rule_rests_after_its_number_of_times(world):
    await world.faults({"kind": "status", "code": 503, "times": 2})

    assert await statuses(world, 4) == [503, 503, 200, 200]
    assert await world.hits() == [2]


async def test_chance_repeats_itself_with_the_same_seed(world):
    rule = {"kind": "status", "code": 503, "rate": 0.5}

    await world.faults(rule, seed=7)
    first = await statuses(world, 20)
    await world.faults(rule, seed=7)
    second = await statuses(world, 20)

    assert first == second
    assert {200, 503} == set(first)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"path": "/adapters"}, 200),
        ({"path": "/api/v2/projects"}, 503),
        ({"pattern": r"projects/[0-9a-f-]+$"}, 503),
        ({"pattern": "^/adapters"}, 200),
        ({"method": "POST"}, 200),
        ({"method": "GET", "path": "/api", "pattern": "proj"}, 503),
    ],
)
async def test_a_rule_means_some_calls_only(world, rule, expected):
    await world.faults({"kind": "status", "code": 503, **rule})

    assert await statuses(world, 1) == [expected]


async def test_the_first_rule_that_strikes_decides(world):
    await world.faults(
        {"kind": "status", "code": 500, "every": 2},
        {"kind": "status", "code": 429},
    )

    assert await statuses(world, 4) == [429, 500, 429, 500]
    assert await world.hits() == [2, 2]


async def test_a_reset_is_seen_as_one(world):
    await world.faults({"kind": "reset"})

    with pytest.raises(httpx.ReadError):
        await world.http.get(PROJECT)

    assert await world.hits() == [1]


async def test_a_reset_call_is_not_carried_out(world):
    await world.faults({"kind": "reset", "times": 1})

    with pytest.raises(httpx.ReadError):
        await world.http.post("/api/v2/testRuns", json={"projectId": str(PROJECT_ID)})

    assert (await world.ask("GET", "/__sandbox__/state"))["runs"] == []
    assert await statuses(world, 1) == [200]


async def test_a_hanging_call_ends_without_an_answer(world):
    await world.faults({"kind": "hang", "seconds": 0.05})

    with pytest.raises(httpx.ReadError):
        await world.http.get(PROJECT)


async def test_a_hanging_call_is_let_go_when_its_client_leaves(world):
    await world.faults({"kind": "hang", "seconds": 60})

    with pytest.raises(httpx.ReadTimeout):
        await world.http.get(PROJECT, timeout=0.1)

    async with asyncio.timeout(30):
        calls = []
        while not calls:
            calls = (await world.ask("GET", "/__sandbox__/calls"))["calls"]
    assert (calls[0]["status"], calls[0]["fault"]) == (None, "hang")


async def test_an_answer_is_withheld_after_the_work_is_done(world):
    await world.autotests("a")
    run = await world.run()
    await world.faults({"kind": "timeout_after_store", "seconds": 0.05, "method": "POST"})

    with pytest.raises(httpx.ReadError):
        await world.refused(run, report("a"))

    assert [each["external_id"] for each in (await world.seen(run))["results"]] == ["a"]


async def test_latency_comes_before_every_call(world):
    await world.faults(latency=0.1)

    began = time.perf_counter()
    await world.http.get(PROJECT)

    assert time.perf_counter() - began >= 0.1


async def test_the_control_surface_and_the_page_know_no_faults(world):
    await world.faults({"kind": "status", "code": 503}, latency=60)

    assert await statuses(world, 1, "/") == [200]
    assert await world.hits() == [0]


async def test_faults_end_when_they_are_deleted(world):
    await world.faults({"kind": "status", "code": 503}, latency=1)

    await world.ask("DELETE", "/__sandbox__/faults")

    assert await statuses(world, 1) == [200]
    assert (await world.ask("GET", "/__sandbox__/faults"))["rules"] == []


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"rules": [{"kind": "explode"}]}, "rules[0].kind"),
        ({"rules": [{"code": 503}]}, "rules[0].kind"),
        ({"rules": [{"kind": "status"}]}, "rules[0].code"),
        ({"rules": [{"kind": "status", "code": 200}]}, "rules[0].code"),
        ({"rules": [{"kind": "reset", "rate": 2}]}, "rules[0].rate"),
        ({"rules": [{"kind": "reset", "every": 0}]}, "rules[0].every"),
        ({"rules": [{"kind": "reset", "pattern": "("}]}, "rules[0].pattern"),
        ({"rules": [{"kind": "hang", "seconds": 0}]}, "rules[0].seconds"),
        ({"rules": {}}, "rules"),
        ({"latency": -1}, "latency"),
        ({"latencies": 1}, "latencies"),
    ],
)
async def test_a_bad_plan_is_refused_by_the_name_of_its_field(world, plan, field):
    reply = await world.http.put("/__sandbox__/faults", json=plan)

    assert (reply.status_code, list(reply.json()["errors"])) == (400, [field])
    assert "found" in reply.json()["detail"]
    assert "expected" in reply.json()["detail"]


async def test_three_kinds_share_a_fifth_of_the_calls_in_equal_parts(world):
    kinds = ({"kind": "status", "code": 503}, {"kind": "status", "code": 502}, {"kind": "reset"})
    rates = [1 / 15, 1 / 14, 1 / 13]
    rules = [{**kind, "rate": rate} for kind, rate in zip(kinds, rates, strict=True)]

    async def struck() -> list[int]:
        await world.faults(*rules, seed=7)
        for _ in range(600):
            try:
                await world.http.get("/adapters/projects/1")
            except httpx.TransportError:
                continue
        return await world.hits()

    hits = await struck()

    assert all(25 <= each <= 55 for each in hits)
    assert await struck() == hits
