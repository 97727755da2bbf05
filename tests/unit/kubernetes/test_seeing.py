"""What Kubernetes' objects say of load tests."""

from datetime import UTC, datetime
from time import process_time

import msgspec
import pytest

from syncsvc.adapters.kubernetes import pods, runs, shapes
from syncsvc.adapters.kubernetes.lists import POD_LISTING, TEST_RUN_LISTING
from syncsvc.loadtests.seen import ContainerKind, ContainerState, PodSeen, Role, Stage, TestRunSeen
from tests.support.builders import NOON
from tests.unit.kubernetes.api import NS, a_run, pod


def run_seen(raw: dict) -> TestRunSeen:
    return runs.seen(msgspec.convert(raw, shapes.TestRun))


def pod_seen(**parts: object) -> PodSeen:
    seen = pods.pod(msgspec.convert(pod("load-1-abcde", **parts), shapes.Pod))
    assert seen is not None
    return seen


def labels(job: str, **more: str) -> dict[str, str]:
    return {"app": "k6", "k6_cr": "load", "batch.kubernetes.io/job-name": job, **more}


def condition(status: str) -> dict:
    moment = "2026-01-01T12:00:05Z"
    return {"type": "TestRunRunning", "status": status, "lastTransitionTime": moment, "reason": "x"}


def test_a_test_run_that_nobody_has_looked_at_has_no_stage():
    seen = run_seen(a_run())

    assert seen == TestRunSeen(NS, "load", "uid-load", NOON, parallelism=2, labels={"app": "k6"})


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_of_the_operator_is_known(stage):
    assert run_seen(a_run(stage=stage.value)).stage is stage


def test_a_stage_that_we_do_not_know_is_kept():
    seen = run_seen(a_run(stage="paused"))

    assert (seen.stage, seen.odd_stage) == (None, "paused")


@pytest.mark.parametrize(
    ("said", "began", "ended"),
    [
        ("Unknown", None, None),
        ("True", datetime(2026, 1, 1, 12, 0, 5, tzinfo=UTC), None),
        ("False", None, datetime(2026, 1, 1, 12, 0, 5, tzinfo=UTC)),
    ],
)
def test_the_condition_tells_when_load_began_and_ended(said, began, ended):
    seen = run_seen(a_run(stage="started", conditions=[condition(said)]))

    assert (seen.load_began_at, seen.load_ended_at) == (began, ended)


def test_a_test_run_that_cleans_up_and_is_being_deleted_says_so():
    raw = a_run()
    raw["spec"]["cleanup"] = "post"
    raw["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:30Z"
    raw["metadata"]["deletionGracePeriodSeconds"] = 30  # after it was asked for

    seen = run_seen(raw)

    assert seen.cleans_up
    assert seen.deleting_at == NOON


def test_a_parallelism_of_none_is_one_and_of_zero_is_zero():
    raw = a_run()
    raw["spec"]["parallelism"] = 0

    assert run_seen(raw).parallelism == 0
    del raw["spec"]
    assert run_seen(raw).parallelism == 1


@pytest.mark.parametrize(
    ("job", "more", "role", "index"),
    [
        ("load-1", {"runner": "true"}, Role.RUNNER, 1),
        ("load-12", {"runner": "true"}, Role.RUNNER, 12),
        ("odd", {"runner": "true"}, Role.RUNNER, None),
        ("load-initializer", {}, Role.INITIALIZER, None),
        ("load-starter", {}, Role.STARTER, None),
        ("load-stopper", {}, Role.STOPPER, None),
        ("load-else", {}, Role.OTHER, None),
    ],
)
def test_a_pod_is_for_what_its_job_is(job, more, role, index):
    seen = pod_seen(labels=labels(job, **more))

    assert (seen.test_run, seen.role, seen.index) == ("load", role, index)


def test_the_older_label_names_the_job_too():
    assert pod_seen(labels={"k6_cr": "load", "job-name": "load-starter"}).role is Role.STARTER


def test_without_a_label_the_pods_name_tells_its_job():
    assert pod_seen(labels={"k6_cr": "load", "runner": "true"}).index == 1


def test_a_pod_of_no_test_run_is_nobodys():
    raw = msgspec.convert(pod("other", labels={"app": "k6"}), shapes.Pod)

    assert pods.pod(raw) is None


def test_a_job_of_no_test_run_is_nobodys():
    assert pods.job(msgspec.convert({"metadata": {"name": "other"}}, shapes.Job)) is None


def test_a_job_tells_what_became_of_its_pods():
    raw = {
        "metadata": {"name": "load-2", "namespace": NS, "labels": labels("x", runner="true")},
        "status": {"active": 1, "succeeded": None, "failed": 1},
    }

    seen = pods.job(msgspec.convert(raw, shapes.Job))

    assert (seen.name, seen.index, seen.active, seen.succeeded, seen.failed) == (
        "load-2",
        2,
        1,
        0,
        1,
    )


def test_containers_are_told_apart_by_place_and_name():
    spec = {
        "initContainers": [{"name": "k6-init-0"}, {"name": "proxy", "restartPolicy": "Always"}],
        "containers": [{"name": "istio-proxy"}, {"name": "k6"}],
    }

    seen = pod_seen(spec=spec)

    assert [(each.name, each.kind) for each in seen.containers] == [
        ("k6-init-0", ContainerKind.INIT),
        ("proxy", ContainerKind.SIDECAR),
        ("istio-proxy", ContainerKind.SIDECAR),
        ("k6", ContainerKind.MAIN),
    ]


def test_a_starters_main_container_is_curl():
    spec = {"containers": [{"name": "k6"}, {"name": "k6-curl"}]}

    assert pod_seen(labels=labels("load-starter"), spec=spec).main.name == "k6-curl"


def test_a_single_container_is_the_main_one_whatever_its_name():
    assert pod_seen(spec={"containers": [{"name": "other"}]}).main.name == "other"


def of_k6(state: dict, **more: object) -> dict:
    return {"containerStatuses": [{"name": "k6", "state": state, **more}]}


def test_a_container_that_waits_says_why():
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}

    main = pod_seen(status=of_k6(state)).main

    assert (main.state, main.reason, main.message) == (
        ContainerState.WAITING,
        "ImagePullBackOff",
        "no such image",
    )
    assert not main.has_logs


def test_a_container_that_runs_says_since_when():
    state = {"running": {"startedAt": "2026-01-01T12:00:00Z"}}

    main = pod_seen(status=of_k6(state, restartCount=2)).main

    assert (main.state, main.started_at, main.restarts) == (ContainerState.RUNNING, NOON, 2)


def test_a_container_that_ended_says_how():
    state = {
        "terminated": {
            "exitCode": 137,
            "reason": "OOMKilled",
            "startedAt": "2026-01-01T12:00:00Z",
            "finishedAt": "2026-01-01T12:00:00Z",
        }
    }

    main = pod_seen(status=of_k6(state)).main

    assert (main.state, main.exit_code, main.reason) == (
        ContainerState.TERMINATED,
        137,
        "OOMKilled",
    )
    assert main.finished_at == NOON


def test_a_state_that_is_empty_means_waiting_and_none_is_unknown():
    assert pod_seen(status=of_k6({})).main.state is ContainerState.WAITING
    assert pod_seen().main.state is ContainerState.UNKNOWN


def test_a_pod_that_no_node_takes_says_why():
    refusal = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available",
    }

    seen = pod_seen(status={"phase": "Pending", "conditions": [refusal]})

    assert (seen.phase, seen.unschedulable) == ("Pending", "0/3 nodes are available")


def test_a_pod_that_a_node_has_is_not_unschedulable():
    placed = {"type": "PodScheduled", "status": "True"}

    assert pod_seen(status={"conditions": [placed]}).unschedulable is None


def test_an_evicted_pod_keeps_its_reason():
    seen = pod_seen(status={"phase": "Failed", "reason": "Evicted", "message": "disk"})

    assert (seen.phase, seen.reason, seen.message) == ("Failed", "Evicted", "disk")


def many(kind: str, objects: list) -> bytes:
    return msgspec.json.encode({"kind": f"{kind}List", "metadata": {}, "items": objects})


@pytest.mark.alone
def test_a_thousand_test_runs_with_four_pods_each_cost_little():
    noise = [{"manager": f"m{i}", "fieldsV1": {f"f:{j}": {} for j in range(20)}} for i in range(9)]
    load = [
        a_run(f"load-{i}", stage="started", conditions=[condition("True")]) for i in range(1000)
    ]
    state = {"running": {"startedAt": "2026-01-01T12:00:00Z"}}
    runners = [pod(f"load-{i}-1-x", status=of_k6(state)) for i in range(4000)]
    for each in (*load, *runners):
        each["metadata"]["managedFields"] = noise
    bodies = many("TestRun", load), many("Pod", runners)

    began = process_time()
    seen_runs = [runs.seen(each) for each in TEST_RUN_LISTING.decoder.decode(bodies[0]).items]
    seen_pods = [pods.pod(each) for each in POD_LISTING.decoder.decode(bodies[1]).items]
    spent = process_time() - began

    assert (len(seen_runs), len(seen_pods)) == (1000, 4000)
    assert spent < 0.5
