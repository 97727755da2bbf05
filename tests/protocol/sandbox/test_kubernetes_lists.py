"""The sandbox's Kubernetes as whoever lists and watches it sees it."""

import json

import httpx
import pytest

from syncsvc.sandbox.identities import KUBERNETES_NOBODY_TOKEN
from tests.support.kubernetes import JOBS, MERGE, PODS, TESTRUNS, a_kubernetes

ALL = "/apis/k6.io/v1alpha1/testruns"


@pytest.fixture
async def world():
    async with a_kubernetes() as world:
        yield world


def names(told):
    return [each["metadata"]["name"] for each in told["items"]]


async def paged(world, path, **query):
    """Read a list to its end; give the names and how many pages there were."""
    found, pages, go_on = [], 0, ""
    while pages == 0 or go_on:
        told = await world.told(path, limit=3, **query, **{"continue": go_on})
        found, pages, go_on = found + names(told), pages + 1, told["metadata"].get("continue", "")
    return found, pages


async def test_pages_are_of_one_moment(world):
    await world.testruns(name="a", count=5)
    first = await world.told(TESTRUNS, limit=3)
    await world.tell("DELETE", "/testruns/k6-runs/a-4")
    await world.testruns(name="a-9")

    query = {"limit": 3, "continue": first["metadata"]["continue"]}
    second = await world.told(TESTRUNS, **query)

    assert names(first) + names(second) == ["a-0", "a-1", "a-2", "a-3", "a-4"]
    versions = {each["metadata"]["resourceVersion"] for each in (first, second)}
    assert len(versions) == 1
    assert first["metadata"]["remainingItemCount"] == 2


async def test_a_list_over_all_namespaces_goes_on_where_it_stopped(world):
    for namespace in ("east", "west"):
        await world.testruns(name="a", count=4, namespace=namespace)

    found, pages = await paged(world, ALL)

    assert (found, pages) == ([f"a-{n}" for n in range(4)] * 2, 3)


async def test_a_token_that_is_too_old_can_be_gone_on_with_inconsistently(world):
    await world.testruns(name="a", count=5)
    first = await world.told(TESTRUNS, limit=3)
    await world.tell("POST", "/expire")

    late = await world.get(TESTRUNS, limit=3, **{"continue": first["metadata"]["continue"]})

    assert (late.status_code, late.json()["reason"]) == (410, "Expired")
    query = {"limit": 3, "continue": late.json()["metadata"]["continue"]}
    assert names(await world.told(TESTRUNS, **query)) == ["a-3", "a-4"]


async def test_so_many_of_the_next_pages_are_too_late(world):
    await world.testruns(name="a", count=5)
    await world.tell("PUT", "/switches", {"expired_continues": 1})
    go_on = (await world.told(TESTRUNS, limit=3))["metadata"]["continue"]

    statuses = [
        (await world.get(TESTRUNS, limit=3, **{"continue": go_on})).status_code for _ in range(2)
    ]

    assert statuses == [410, 200]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("team=a", ["a"]),
        ("team!=a", ["b", "c"]),
        ("team in (a, b)", ["a", "b"]),
        ("team notin (a)", ["b", "c"]),
        ("team", ["a", "b"]),
        ("!team", ["c"]),
        ("team in (a,b),team!=a", ["b"]),
    ],
)
async def test_labels_select(world, selector, found):
    for name, labels in (("a", {"team": "a"}), ("b", {"team": "b"}), ("c", {})):
        await world.testruns(name=name, labels=labels)

    assert names(await world.told(TESTRUNS, labelSelector=selector)) == found


async def test_pods_are_selected_by_phase_and_node(world):
    await world.testruns(until="stopped", scenario={"exits": [0, 99]})

    failed = await world.told(PODS, fieldSelector="status.phase=Failed")

    [pod] = failed["items"]
    node = pod["spec"]["nodeName"]
    told = await world.told(PODS, fieldSelector=f"spec.nodeName={node},status.phase!=Succeeded")
    assert names(told) == [pod["metadata"]["name"]]
    refused = await world.get(PODS, fieldSelector="status.stage=x")
    assert refused.json()["message"] == "field label not supported: status.stage"


async def test_long_lists_are_packed_for_whom_takes_them_so(world):
    await world.testruns(count=40, until="started")

    packed = await world.get(PODS)
    plain = await world.ask("GET", PODS, headers={"Accept-Encoding": "identity"})
    short = await world.get(PODS, limit=1)

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in short.headers
    assert packed.json() == plain.json()


async def test_a_watch_tells_what_happens_after_its_version(world):
    await world.testruns(name="a", labels={"team": "a"})
    version = (await world.told(TESTRUNS))["metadata"]["resourceVersion"]
    await world.step("initialization")
    await world.admin(
        "PATCH", f"{TESTRUNS}/a", {"metadata": {"labels": {"team": "b"}}}, headers=MERGE
    )
    await world.tell("DELETE", "/testruns/k6-runs/a")

    every = await world.lines(TESTRUNS, 4, resourceVersion=version)
    team = await world.lines(TESTRUNS, 3, resourceVersion=version, labelSelector="team=a")

    assert [each["type"] for each in every] == ["MODIFIED"] * 3 + ["DELETED"]
    assert [each["type"] for each in team] == ["MODIFIED"] * 2 + ["DELETED"]
    versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in every]
    assert versions == sorted(versions)
    assert every[1]["object"]["status"]["stage"] == "initialization"


async def test_a_watch_begins_with_what_there_is_and_a_bookmark(world):
    await world.testruns(name="a", count=2)

    found = await world.lines(TESTRUNS, 3, allowWatchBookmarks="true")

    assert [each["type"] for each in found] == ["ADDED", "ADDED", "BOOKMARK"]
    assert list(found[2]["object"]["metadata"]) == ["resourceVersion", "annotations"]


async def test_a_watch_is_told_when_it_has_fallen_behind(world):
    await world.testruns(name="a")
    version = (await world.told(TESTRUNS))["metadata"]["resourceVersion"]
    await world.tell("POST", "/expire")

    reply = await world.get(TESTRUNS, watch=1, resourceVersion=version)

    told = json.loads(reply.text)
    assert (reply.status_code, told["type"]) == (200, "ERROR")
    assert (told["object"]["code"], told["object"]["reason"]) == (410, "Expired")


async def test_a_status_changes_on_its_own_path_only(world):
    await world.testruns(name="a")
    before = await world.told(f"{TESTRUNS}/a")

    ignored = await world.admin(
        "PATCH", f"{TESTRUNS}/a", {"status": {"stage": "started"}}, headers=MERGE
    )
    changed = await world.admin(
        "PATCH", f"{TESTRUNS}/a/status", {"status": {"stage": "started"}}, headers=MERGE
    )
    spec = await world.admin("PATCH", f"{TESTRUNS}/a", {"spec": {"quiet": "false"}}, headers=MERGE)

    assert ignored.json() == before
    assert changed.json()["status"] == {"stage": "started"}
    assert changed.json()["metadata"]["generation"] == 1
    assert spec.json()["metadata"]["generation"] == 2


async def test_a_write_from_a_stale_version_conflicts(world):
    await world.testruns(name="a")
    stale = await world.told(f"{TESTRUNS}/a")
    await world.step()

    refused = await world.admin("PUT", f"{TESTRUNS}/a", stale)

    assert (refused.status_code, refused.json()["reason"]) == (409, "Conflict")


async def test_without_the_operator_its_paths_are_not_served(world):
    await world.tell("PUT", "/switches", {"crd": False})

    reply = await world.get(TESTRUNS)
    groups = await world.told("/apis")

    assert (reply.status_code, reply.text) == (404, "404 page not found\n")
    assert [each["name"] for each in groups["groups"]] == ["batch"]


@pytest.mark.parametrize("path", [TESTRUNS, PODS, JOBS])
async def test_a_right_that_is_missing_is_named(world, path):
    resource = path.rpartition("/")[2]
    await world.tell("PUT", "/switches", {"forbidden": [{"verb": "list", "resource": resource}]})

    reply = await world.get(path)

    assert (reply.status_code, reply.json()["reason"]) == (403, "Forbidden")
    for said in ('User "syncsvc" cannot list', f'"{resource}"', 'in the namespace "k6-runs"'):
        assert said in reply.json()["message"]


async def test_tokens_can_be_replaced(world):
    await world.tell("PUT", "/switches", {"tokens": ["fresh"]})

    replies = [await world.ask("GET", TESTRUNS), await world.ask("GET", TESTRUNS, "fresh")]

    assert [reply.status_code for reply in replies] == [401, 200]
    assert (await world.ask("GET", TESTRUNS, KUBERNETES_NOBODY_TOKEN)).status_code == 403


async def test_another_cluster_holds_other_things(world):
    await world.testruns(name="a")
    await world.tell("PUT", "/cluster?cluster=other", {})
    await world.tell("POST", "/testruns?cluster=other", {"name": "b"})

    other = world.url.replace("/main", "/other")
    headers = {"Authorization": "Bearer sandbox-kubernetes"}
    told = (await world.http.get(other + TESTRUNS, headers=headers)).json()

    assert names(told) == ["b"]
    assert names(await world.told(TESTRUNS)) == ["a"]
    await world.tell("DELETE", "/cluster?cluster=other")
    gone = await world.http.get(other + TESTRUNS, headers=headers)
    assert (gone.status_code, gone.text) == (404, "404 page not found\n")


@pytest.mark.parametrize(
    ("code", "reason"), [(401, "Unauthorized"), (403, "Forbidden"), (500, None), (503, "Service")]
)
async def test_faults_come_as_a_status(world, code, reason):
    await world.faults({"kind": "status", "code": code})

    told = (await world.get(TESTRUNS)).json()

    assert (told["kind"], told["code"]) == ("Status", code)
    assert (told.get("reason") or "None").startswith(str(reason))


async def test_too_many_calls_are_refused_in_plain_text(world):
    await world.faults({"kind": "status", "code": 429, "retry_after": 3})

    reply = await world.get(TESTRUNS)

    assert reply.text == "Too many requests, please try again later."
    assert reply.headers["retry-after"] == "3"
    assert reply.headers["content-type"].startswith("text/plain")


async def test_an_object_may_falsely_be_said_to_be_gone(world):
    await world.testruns(name="a")
    await world.faults({"kind": "status", "code": 404})

    told = (await world.get(f"{TESTRUNS}/a")).json()

    assert told["reason"] == "NotFound"
    assert told["details"] == {"name": "a", "group": "k6.io", "kind": "testruns"}


async def test_answers_can_be_wrong(world):
    await world.testruns(name="a")

    async def spoil(answer):
        wrong = {"pattern": "/testruns$", "answer": answer, "times": 1}
        await world.tell("PUT", "/malformed", {"answers": [wrong]})
        return await world.get(TESTRUNS)

    truncated, html, empty = [await spoil(a) for a in ("truncated", "html", "empty_list")]
    with pytest.raises(httpx.ReadError):
        await spoil("cut")

    with pytest.raises(json.JSONDecodeError):
        truncated.json()
    assert html.headers["content-type"].startswith("text/html")
    assert empty.json()["items"] == []
    assert names(await world.told(TESTRUNS)) == ["a"]


async def test_calls_are_counted_by_what_they_are(world):
    [state] = await world.testruns(name="a", until="started")
    pod = state["pods"][1]["name"]
    for path in (TESTRUNS, PODS, PODS, f"{PODS}/{pod}/log", f"{TESTRUNS}/a"):
        await world.get(path)

    counts = await world.tell("GET", "/counts?clear")

    expected = {"list testruns": 1, "list pods": 2, "log pods": 1, "get testruns": 1}
    assert counts["calls"] == expected
    assert (counts["peak"], counts["in_flight"], counts["log_peak"]) == (1, 0, 1)
    assert (await world.tell("GET", "/counts"))["calls"] == {}
