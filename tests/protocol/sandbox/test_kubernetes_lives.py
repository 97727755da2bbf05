"""What the sandbox's operator makes of TestRuns: stages, pods, jobs, and every sort of end."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.kubernetes import JOBS, NAMESPACE, PODS, TESTRUNS, a_kubernetes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STAGES = ["initialization", "initialized", "created", "started", "stopped", "finished"]


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def world(clock):
    async with a_kubernetes(clock=clock) as world:
        yield world


async def stage(world, name="load"):
    return (await world.told(f"{TESTRUNS}/{name}")).get("status", {}).get("stage")


async def pods(world, selector="runner=true"):
    return (await world.told(PODS, labelSelector=selector))["items"]


def ending_of(pod):
    state = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    return pod["status"]["phase"], state["exitCode"], state["reason"]


async def counts(world):
    jobs = (await world.told(JOBS))["items"]
    names = ("active", "succeeded", "failed")
    return {job["metadata"]["name"]: [job["status"].get(name, 0) for name in names] for job in jobs}


async def test_a_run_passes_every_stage_in_order(world):
    await world.testruns()

    seen = [await stage(world)]
    for _ in STAGES:
        await world.step()
        seen.append(await stage(world))

    assert seen == [None, *STAGES]
    assert (await world.step())["next"] is None


async def test_what_the_operator_makes_is_told_apart_by_its_labels(world):
    await world.testruns(name="a", labels={"team": "x"}, until="started")

    [first, second] = await pods(world)
    others = await pods(world, "k6_cr=a,!runner")

    labels = first["metadata"]["labels"]
    assert [labels[each] for each in ("app", "k6_cr", "runner", "team")] == ["k6", "a", "true", "x"]
    assert labels["job-name"] == labels["batch.kubernetes.io/job-name"] == "a-1"
    assert second["metadata"]["labels"]["job-name"] == "a-2"
    [owner] = first["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Job", "a-1", labels["controller-uid"])
    assert [pod["spec"]["containers"][0]["name"] for pod in others] == ["k6", "k6-curl"]


async def test_the_condition_tells_when_load_began_and_ended(world, clock):
    await world.testruns()
    await world.step("started")
    clock.move(60)
    await world.step("finished")

    status = (await world.told(f"{TESTRUNS}/load"))["status"]

    [running] = [each for each in status["conditions"] if each["type"] == "TestRunRunning"]
    assert running["status"] == "False"
    assert running["lastTransitionTime"] == "2026-03-01T12:01:00Z"
    assert running["reason"]


@pytest.mark.parametrize(
    ("exits", "found"),
    [
        ([0, 99], [("Succeeded", 0, "Completed"), ("Failed", 99, "Error")]),
        ([137, "oom"], [("Failed", 137, "Error"), ("Failed", 137, "OOMKilled")]),
        ([105], [("Failed", 105, "Error")] * 2),
    ],
)
async def test_runners_end_as_the_scenario_says(world, exits, found):
    await world.testruns(scenario={"exits": exits}, until="finished")

    assert [ending_of(pod) for pod in await pods(world)] == found


async def test_an_evicted_runner_says_so(world):
    await world.testruns(scenario={"exits": [0, "evicted"]}, until="finished")

    [_, evicted] = await pods(world)

    assert (evicted["status"]["phase"], evicted["status"]["reason"]) == ("Failed", "Evicted")


async def test_a_runner_whose_pod_was_deleted_leaves_a_failed_job(world):
    await world.testruns(scenario={"exits": ["deleted", 0]}, until="finished")

    [left] = await pods(world)

    assert left["metadata"]["labels"]["job-name"] == "load-2"
    told = await counts(world)
    assert (told["load-1"], told["load-2"]) == ([0, 0, 1], [0, 1, 0])
    assert await stage(world) == "finished"


@pytest.mark.parametrize(
    ("scenario", "last", "phases"),
    [
        ({"initialization": "bad_arguments"}, "error", []),
        ({"initialization": "fails"}, "error", ["Failed"]),
        ({"initialization": "too_few_vus"}, "error", ["Succeeded"]),
        ({"initialization": "image_pull"}, "initialization", ["Pending"]),
        ({"initialization": "unschedulable"}, "initialization", ["Pending"]),
        ({"initialization": "disabled"}, "finished", ["Succeeded"] * 3),
        ({"runners": "image_pull"}, "created", ["Pending", "Pending", "Succeeded"]),
        ({"runners": "unschedulable"}, "created", ["Pending", "Pending", "Succeeded"]),
    ],
)
async def test_a_run_that_goes_wrong_stays_where_it_stays(world, scenario, last, phases):
    await world.testruns(scenario=scenario, until="end")

    assert await stage(world) == last
    found = [pod["status"]["phase"] for pod in await pods(world, "app=k6")]
    assert sorted(found) == phases


async def test_a_pod_that_waits_tells_why(world):
    await world.testruns(name="a", scenario={"runners": "image_pull"}, until="end")
    await world.testruns(name="b", scenario={"runners": "unschedulable"}, until="end")

    [pulling, *_] = await pods(world, "k6_cr=a,runner")
    [homeless, *_] = await pods(world, "k6_cr=b,runner")

    waiting = pulling["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    [scheduled] = [e for e in homeless["status"]["conditions"] if e["type"] == "PodScheduled"]
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
    assert "nodeName" not in homeless["spec"]


async def test_without_parallelism_nothing_ever_happens(world):
    await world.testruns(parallelism=0, until="end")

    assert "status" not in await world.told(f"{TESTRUNS}/load")


async def test_cleanup_takes_the_run_at_once_and_its_pods_soon_after(world):
    await world.testruns(cleanup=True, until="finished")

    gone = await world.step("beat")
    reply = await world.get(f"{TESTRUNS}/load")
    left = len(await pods(world))
    await world.step("end")

    assert (gone["gone"], reply.status_code, left) == (True, 404, 2)
    assert await pods(world, "app=k6") == []
    assert (await world.told(JOBS))["items"] == []


async def test_a_run_that_is_deleted_goes_before_its_pods(world):
    await world.testruns(until="started")

    reply = await world.admin("DELETE", f"{TESTRUNS}/load")
    await world.step("beat")

    assert reply.json()["status"] == "Success"
    assert (await world.get(f"{TESTRUNS}/load")).status_code == 404
    assert all("deletionTimestamp" in pod["metadata"] for pod in await pods(world))


async def test_a_scenario_may_delete_a_run_and_make_it_again(world):
    [old] = await world.testruns(scenario={"deleted_at": "started", "recreated": True}, until="end")

    found = (await world.tell("GET", "/testruns"))["testruns"]

    assert [each["gone"] for each in found] == [True, False]
    assert found[1]["uid"] != old["uid"]
    assert (await world.told(f"{TESTRUNS}/load"))["metadata"]["uid"] == found[1]["uid"]


async def test_a_name_that_is_used_again_is_another_run(world):
    [old] = await world.testruns(until="started")

    new = await world.tell("POST", "/testruns/k6-runs/load/recreate", {"until": "created"})

    assert new["uid"] != old["uid"]
    [one, two] = await pods(world)
    assert {one["metadata"]["name"], two["metadata"]["name"]}.isdisjoint(
        pod["name"] for pod in old["pods"]
    )


async def test_a_pod_that_is_deleted_stays_until_its_node_agrees(world):
    [state] = await world.testruns(until="started")
    name = state["pods"][1]["name"]

    reply = await world.admin("DELETE", f"{PODS}/{name}")
    listed = [pod["metadata"]["name"] for pod in await pods(world)]
    await world.step("beat")

    assert "deletionTimestamp" in reply.json()["metadata"]
    assert name in listed
    assert (await world.get(f"{PODS}/{name}")).status_code == 404
    assert (await counts(world))["load-1"] == [0, 0, 1]


@pytest.mark.parametrize(
    ("action", "found"),
    [
        ({"action": "exit", "exit_code": 108}, ("Failed", 108, "Error")),
        ({"action": "oom"}, ("Failed", 137, "OOMKilled")),
        ({"action": "evict"}, ("Failed", 137, "Error")),
    ],
)
async def test_a_runner_can_be_ended_at_any_moment(world, action, found):
    [state] = await world.testruns(until="started", parallelism=1)
    [name] = [pod["name"] for pod in state["pods"] if pod["role"] == "runner"]

    await world.tell("POST", f"/pods/{NAMESPACE}/{name}", action)

    [pod] = await pods(world)
    assert ending_of(pod) == found
    assert (await world.step("end"))["stage"] == "finished"


async def test_a_scenario_can_change_while_its_run_lives(world):
    await world.testruns(until="started")

    await world.tell("PATCH", "/testruns/k6-runs/load", {"exits": [99]})
    await world.step("end")

    assert {ending_of(pod)[1] for pod in await pods(world)} == {99}


async def test_runs_made_through_the_api_follow_the_cluster_s_scenario(world):
    await world.tell("PUT", "/scenario", {"exits": [107]})
    spec = {"parallelism": 1, "script": {"configMap": {"name": "x"}}}
    body = {"apiVersion": "k6.io/v1alpha1", "kind": "TestRun", "metadata": {"name": "mine"}}

    made = await world.admin("POST", TESTRUNS, {**body, "spec": spec})
    await world.step("end", name="mine")

    assert made.status_code == 201
    assert [ending_of(pod)[1] for pod in await pods(world)] == [107]


async def test_time_alone_takes_a_run_to_its_end(world, clock):
    await world.testruns(scenario={"duration": 10})
    await world.tell("PUT", "/speed", {"factor": 2})

    seen = []
    for _ in range(7):
        clock.move(1)
        seen.append(await stage(world))

    assert seen[0] == "created"
    assert seen[1:6] == ["started"] * 5
    clock.move(1)
    assert await stage(world) == "finished"


async def test_what_was_late_to_be_looked_at_happened_in_its_time(world, clock):
    await world.testruns()
    version = (await world.told(TESTRUNS))["metadata"]["resourceVersion"]
    await world.tell("PUT", "/speed", {"factor": 1})
    clock.move(3600)

    events = await world.lines(TESTRUNS, 7, resourceVersion=version)

    stages = [each["object"]["status"].get("stage") for each in events]
    assert stages == [None, *STAGES]
    [pod, _] = await pods(world)
    state = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert state["finishedAt"] < "2026-03-01T12:00:10Z"


async def test_a_thousand_runs_are_made_in_one_call(world):
    made = await world.testruns(count=1000, parallelism=4, until="started")

    assert len(made) == 1000
    listed = await world.told(PODS, labelSelector="runner=true", limit=500)
    assert len(listed["items"]) == 500
    assert (await world.tell("GET", "/clusters"))["clusters"][0]["pods"] == 6000
