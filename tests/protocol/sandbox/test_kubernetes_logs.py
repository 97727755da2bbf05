"""Logs of the sandbox's pods: which part is given, when, and in which bytes."""

import asyncio
import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.kubernetes import KUBERNETES_TOKEN, NAMESPACE, PODS, a_kubernetes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ODD = [b"\x00nul", b"cr\rcr", "\u2028\u0085".encode(), b"\xff\xfe", b"\x1b[31mred\x1b[0m", b""]


@pytest.fixture
async def world():
    async with a_kubernetes(clock=lambda: NOON) as world:
        yield world


async def a_runner(world, **scenario):
    """Make a TestRun of one runner that has written nothing yet; name its pod."""
    wish = {"lines": 0, **scenario}
    [state] = await world.testruns(parallelism=1, scenario=wish, until="started")
    [name] = [pod["name"] for pod in state["pods"] if pod["role"] == "runner"]
    return name


async def emit(world, *texts, **more):
    return await world.tell("POST", "/emit", {"texts": texts, **more})


async def log(world, pod, **query):
    reply = await world.get(f"{PODS}/{pod}/log", **query)
    assert reply.status_code == 200, reply.text
    return reply.content


async def refused(world, pod, **query):
    reply = await world.get(f"{PODS}/{pod}/log", **query)
    return reply.status_code, reply.json()["message"]


async def test_lines_come_with_the_moments_they_were_written_at(world):
    pod = await a_runner(world)
    await emit(world, "a", "b", gap=0.25)

    found = await log(world, pod, timestamps="true")

    expected = (
        b"2026-03-01T12:00:00.000000000Z a\n",
        b"2026-03-01T12:00:00.250000000Z b\n",
    )
    assert found == b"".join(expected)
    assert await log(world, pod) == b"a\nb\n"


async def test_since_knows_seconds_only_so_a_second_s_lines_come_again(world):
    pod = await a_runner(world)
    await emit(world, "a", "b", "c", "d", gap=0.5)

    assert await log(world, pod, sinceTime="2026-03-01T12:00:01.999Z") == b"c\nd\n"
    assert await log(world, pod, sinceTime="2026-03-01T13:00:01+01:00") == b"c\nd\n"
    assert await log(world, pod, sinceTime="2026-03-01T12:00:02Z") == b""
    assert await log(world, pod, sinceSeconds=3600) == b"a\nb\nc\nd\n"


async def test_a_limit_cuts_where_it_falls_and_a_tail_at_lines(world):
    pod = await a_runner(world)
    await emit(world, "first", "second")

    assert await log(world, pod, limitBytes=8) == b"first\nse"
    assert await log(world, pod, tailLines=1) == b"second\n"
    assert await log(world, pod, tailLines=0) == b""


async def test_bytes_are_given_as_they_were_written(world):
    pod = await a_runner(world)
    encoded = [base64.b64encode(each).decode() for each in ODD]
    await world.tell("POST", "/emit", {"base64": encoded})

    assert await log(world, pod) == b"".join(each + b"\n" for each in ODD)


async def test_a_container_has_to_be_named_where_there_are_several(world):
    pod = await a_runner(world, sidecars=["istio-proxy"], init_containers=["k6-init-1"])

    status, text = await refused(world, pod)

    assert (status, text.rpartition(": ")[2]) == (400, "[k6-init-1 k6 istio-proxy]")
    assert b"network is set up" in await log(world, pod, container="k6-init-1")
    assert b"proxy is ready" in await log(world, pod, container="istio-proxy")
    assert await log(world, pod, container="k6") == b""


async def test_a_follower_gets_every_line_until_the_container_ends(world):
    pod = await a_runner(world, summary="none")
    await emit(world, "before")
    got, begun = [], asyncio.Event()

    async def follow():
        headers = {"Authorization": f"Bearer {KUBERNETES_TOKEN}"}
        url = f"{world.url}{PODS}/{pod}/log?follow=true"
        async with world.http.stream("GET", url, headers=headers) as reply:
            async for part in reply.aiter_bytes():
                got.append(part)
                begun.set()

    following = asyncio.create_task(follow())
    await begun.wait()
    await emit(world, "while")
    await world.tell("POST", f"/pods/{NAMESPACE}/{pod}", {"action": "exit", "exit_code": 108})
    await following

    content = b"".join(got)
    assert content.startswith(b"before\nwhile\n")
    assert b"test aborted" in content
    told = await world.http.get(f"/__sandbox__/kubernetes/emitted?pod={pod}")
    assert told.content == content


async def test_a_follower_is_let_go_when_the_node_no_longer_answers(world):
    pod = await a_runner(world)
    await emit(world, "a")
    following = asyncio.create_task(log(world, pod, follow="true"))
    while not (await world.tell("GET", "/counts"))["log_in_flight"]:
        assert not following.done()

    await world.tell("PUT", "/switches", {"kubelet": False})

    assert await following in (b"a\n", b"")


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({"kubelet": False}, (500, "connection refused")),
        ({"gone_nodes": ["node-1", "node-2", "node-3"]}, (404, "not found")),
        ({"forbidden": [{"resource": "pods/log"}]}, (403, 'resource "pods/log"')),
    ],
)
async def test_what_stands_in_the_way_of_a_log_is_told_as_kubernetes_does(
    world, switches, expected
):
    pod = await a_runner(world)
    await world.tell("PUT", "/switches", switches)

    status, text = await refused(world, pod)

    assert status == expected[0]
    assert expected[1] in text


async def test_a_pod_without_a_node_has_no_log_and_one_that_waits_says_so(world):
    for name, runners in (("a", "unschedulable"), ("b", "image_pull")):
        await world.testruns(name=name, parallelism=1, scenario={"runners": runners}, until="end")
    found = (await world.told(PODS, labelSelector="runner"))["items"]
    [homeless, pulling] = [pod["metadata"]["name"] for pod in found]

    empty = await world.get(f"{PODS}/{homeless}/log")

    assert (empty.status_code, empty.content) == (204, b"")
    status, text = await refused(world, pulling)
    assert (status, text) == (
        400,
        f'container "k6" in pod "{pulling}" is waiting to start: trying and failing to pull image',
    )


async def test_the_log_before_a_restart_is_the_previous_one(world):
    pod = await a_runner(world)
    await emit(world, "old")
    assert (await refused(world, pod, previous="true"))[0] == 400

    await world.tell("POST", f"/pods/{NAMESPACE}/{pod}", {"action": "restart"})
    await emit(world, "new")

    assert await log(world, pod, previous="true") == b"old\n"
    assert await log(world, pod) == b"new\n"


async def test_what_was_written_is_known_when_the_pod_is_gone(world):
    pod = await a_runner(world)
    await emit(world, "a")
    before = await log(world, pod, timestamps="true")
    await world.tell("POST", f"/pods/{NAMESPACE}/{pod}", {"action": "vanish"})

    told = (await world.tell("GET", "/emitted?name=load"))["containers"]

    [of_runner] = [each for each in told if each["pod"] == pod]
    assert of_runner["timestamped_sha256"] == hashlib.sha256(before).hexdigest()
    assert (of_runner["lines"], of_runner["bytes"], of_runner["ended"]) == (1, 2, True)
    url = f"/__sandbox__/kubernetes/emitted?pod={pod}&timestamps=true"
    assert (await world.http.get(url)).content == before


async def test_a_container_writes_by_itself_when_time_passes():
    now = [NOON]
    async with a_kubernetes(clock=lambda: now[0]) as world:
        pod = await a_runner(world, lines_per_second=10)
        now[0] += timedelta(seconds=2)

        first = await log(world, pod)
        now[0] += timedelta(seconds=1)
        await world.step("end")

        assert first.count(b"\n") == 20
        assert (await log(world, pod)).startswith(first)
        assert (await log(world, pod, sinceTime="2026-03-01T12:00:03Z")).startswith(b"time=")


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ({"summary": "v2"}, "    ✓ 'p(95)<900' p(95)="),
        ({"summary": "v2", "exits": [99]}, "    ✗ 'p(95)<900' p(95)="),
        ({"summary": "v0.49"}, "   ✓ checkout_time....."),
        ({"summary": "v0.49", "exits": [99]}, "   ✗ checkout_time....."),
        ({"exits": [99]}, "msg=\"thresholds on metrics 'checkout_time' have been crossed\""),
    ],
)
async def test_a_runner_sums_up_at_its_end(world, scenario, said):
    pod = await a_runner(world, **scenario)
    await world.step("finished")

    assert said in (await log(world, pod)).decode()


async def test_progress_is_noise_between_the_lines(world):
    pod = await a_runner(world)
    await world.tell("POST", "/emit", {"lines": 30, "progress": True})

    found = await log(world, pod)

    assert b"\r" in found
    assert b"\x1b[K" in found
    assert found.count(b"time=") == 10
