"""Our client reads what a cluster shows of load tests, over real HTTP."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from syncsvc.adapters.kubernetes.credentials import Fetched, Presented, Renewed
from syncsvc.adapters.kubernetes.failures import Gone
from syncsvc.adapters.kubernetes.kubeconfig import from_kubeconfig
from syncsvc.adapters.kubernetes.watching import Change
from syncsvc.errors import Denied, Unavailable, Unknown
from syncsvc.loadtests.clusters import Forbidden, NoLog
from syncsvc.loadtests.seen import ContainerState, Role, Stage
from syncsvc.loadtests.stamps import parted, split
from syncsvc.sandbox.identities import KUBERNETES_TOKEN
from tests.protocol.kubernetes_client.world import NS


async def runner(world, run: str = "load") -> str:
    seen = await world.cluster().listed(NS)
    return next(p.name for p in seen.pods if p.role is Role.RUNNER and p.test_run == run)


async def test_it_says_which_kubernetes_it_is(world):
    assert (await world.cluster().version()).startswith("v1.")


async def test_a_run_under_load_is_seen_with_its_pods_and_jobs(world):
    await world.launch(name="load", parallelism=2, until="started")

    seen = await world.cluster().listed(NS)

    (run,) = seen.runs
    assert (run.name, run.stage, run.parallelism) == ("load", Stage.STARTED, 2)
    assert run.load_began_at is not None
    runners = {pod.index: pod for pod in seen.pods if pod.role is Role.RUNNER}
    assert set(runners) == {1, 2}
    assert runners[1].main.state is ContainerState.RUNNING
    assert {Role.INITIALIZER, Role.RUNNER} <= {job.role for job in seen.jobs}
    assert seen.calls == 3


async def test_the_end_of_a_run_shows_how_its_runners_ended(world):
    await world.launch(name="load", parallelism=2, scenario={"exits": [99, 0]}, until="end")

    seen = await world.cluster().listed(NS)

    assert seen.runs[0].stage is Stage.FINISHED
    assert seen.runs[0].load_ended_at is not None
    ends = {p.index: p.main.exit_code for p in seen.pods if p.role is Role.RUNNER}
    assert ends == {1: 99, 2: 0}


async def test_a_pod_that_no_node_takes_is_seen_so(world):
    await world.launch(name="load", scenario={"runners": "unschedulable"}, until="created")

    seen = await world.cluster().listed(NS)

    assert [p.unschedulable for p in seen.pods if p.role is Role.RUNNER and p.unschedulable]


async def test_more_than_a_page_is_listed_whole(world):
    await world.launch(name="many", count=501)

    seen = await world.cluster().listed(NS)

    assert len({run.uid for run in seen.runs}) == 501
    assert seen.calls == 4


async def test_a_list_that_expires_between_its_pages_is_whole_all_the_same(world):
    await world.launch(name="many", count=501)
    await world.tell("PUT", "/switches", {"expired_continues": 1})

    assert len((await world.cluster().listed(NS)).runs) == 501


async def test_one_test_run_is_there_or_it_is_not(world):
    await world.launch(name="load")

    assert (await world.cluster().test_run(NS, "load")).name == "load"
    assert await world.cluster().test_run(NS, "gone") is None


async def test_a_namespace_that_is_not_there_is_empty(world):
    assert (await world.cluster().listed("nowhere")).runs == []


async def test_a_cluster_without_the_operator_is_told(world):
    await world.tell("PUT", "/switches", {"crd": False})

    with pytest.raises(Unknown, match=r"no testruns\.k6\.io at all"):
        await world.admin().listed(NS)


async def test_a_right_that_lacks_is_named(world):
    with pytest.raises(Forbidden, match=r"kubectl auth can-i list \S+ --namespace k6-runs"):
        await world.nobody().listed(NS)


async def test_credentials_that_changed_are_renewed_once(world):
    await world.tell("PUT", "/switches", {"tokens": ["new"]})
    tokens = iter(("old", "new"))

    async def fetch() -> Fetched:
        return Fetched(Presented(next(tokens)))

    assert (await world.cluster(Renewed(fetch)).listed(NS)).runs == []
    with pytest.raises(Denied):
        await world.cluster().listed(NS)


@pytest.mark.parametrize("answer", ["truncated", "cut", "html"])
async def test_a_list_that_is_spoiled_is_not_an_empty_one(world, answer):
    await world.launch(name="load", count=3)
    spoiled = {"pattern": "/testruns$", "answer": answer}
    await world.tell("PUT", "/malformed", {"answers": [spoiled]})

    with pytest.raises(Unavailable):
        await world.cluster().listed(NS)


async def test_a_log_is_byte_by_byte_what_was_written(world):
    await world.launch(name="load", parallelism=1, until="started")
    pod = await runner(world)
    odd = ["plain", "\x1b[32mok\x1b[0m \u2028 \x0c \r x", "", "long " * 9000]
    await world.tell("POST", "/emit", {"namespace": NS, "pod": pod, "texts": odd})

    log = await world.cluster().log(NS, pod, "k6")

    assert log == await world.emitted(pod)
    assert [parted(line)[1].decode().removesuffix("\n") for line in split(log)][-4:] == odd


async def test_a_log_is_read_on_from_a_second(world):
    await world.launch(name="load", parallelism=1, until="started")
    pod = await runner(world)
    later = {"namespace": NS, "pod": pod, "texts": ["late"], "at": "2050-01-01T00:00:00.5Z"}
    await world.tell("POST", "/emit", later)

    since = datetime(2050, 1, 1, 0, 0, 0, 900_000, tzinfo=UTC)
    log = await world.cluster().log(NS, pod, "k6", since=since)

    assert log == b"2050-01-01T00:00:00.500000000Z late\n"
    assert await world.cluster().log(NS, pod, "k6", since=since, limit_bytes=10) == log[:10]


async def test_why_there_is_no_log_is_told(world):
    await world.launch(name="load", scenario={"runners": "image_pull"}, until="created")
    pod = await runner(world)

    with pytest.raises(NoLog, match="waiting to start"):
        await world.cluster().log(NS, pod, "k6")
    with pytest.raises(NoLog, match="the pod is gone"):
        await world.cluster().log(NS, "load-1-gone", "k6")


async def test_a_node_that_does_not_answer_is_unavailable(world):
    await world.launch(name="load", parallelism=1, until="started")
    pod = await runner(world)
    await world.tell("PUT", "/switches", {"kubelet": False})

    with pytest.raises(Unavailable, match="answered 500"):
        await world.cluster().log(NS, pod, "k6")


async def test_a_followed_log_ends_with_its_container(world):
    await world.launch(name="load", parallelism=1, until="started")
    pod = await runner(world)
    lines: list[bytes] = []
    begun = asyncio.Event()

    async def follow() -> None:
        async for line in world.cluster().follow(NS, pod, "k6"):
            lines.append(line)
            begun.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(follow())
        await begun.wait()
        await world.tell("POST", "/step", {"namespace": NS, "name": "load", "until": "end"})

    assert b"".join(line + b"\n" for line in lines) == await world.emitted(pod)


async def test_changes_come_as_they_happen(world):
    await world.launch(name="load", until="created")
    watch = world.cluster().watch_test_runs(NS)

    async with asyncio.timeout(60):
        added = await anext(watch)
        await world.tell("POST", "/step", {"namespace": NS, "name": "load", "until": "started"})
        event = await anext(watch)
        while event.change is Change.BOOKMARK or event.seen.stage is not Stage.STARTED:
            event = await anext(watch)
    await watch.aclose()

    assert (added.change, added.seen.stage) == (Change.ADDED, Stage.CREATED)


async def test_a_version_that_is_forgotten_is_gone(world):
    await world.launch(name="load", until="created")
    await world.tell("POST", "/expire")

    with pytest.raises(Gone):
        await anext(world.cluster().watch_test_runs(NS, "1"))


async def test_the_sandboxes_kubeconfig_leads_to_it(world, tmp_path):
    path = tmp_path / "config"
    path.write_text(json.dumps(await world.tell("GET", "/kubeconfig")))

    (access,) = from_kubeconfig(path, ["main"], {})

    assert access.server == f"{world.url}/k8s/main"
    assert await access.credentials.present() == Presented(KUBERNETES_TOKEN)
