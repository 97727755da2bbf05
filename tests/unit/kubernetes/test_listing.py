"""Lists are whole or they are none."""

import json
from datetime import timedelta

import httpx
import pytest

from syncsvc.errors import Unavailable
from tests.support.builders import NOON
from tests.unit.kubernetes.api import NS, a_run, api, failure, items, ok, pod, status

EXPIRED = failure(410, "Expired", "The provided continue parameter is too old")


async def test_test_runs_pods_and_jobs_are_listed_together_and_counted():
    job = {"metadata": {"name": "load-1", "labels": {"k6_cr": "load", "runner": "true"}}}
    world = api(
        testruns=items("TestRun", a_run()),
        pods=items("Pod", pod("load-1-abcde")),
        jobs=items("Job", job),
    )

    seen = await world.cluster().listed(NS)

    assert [run.name for run in seen.runs] == ["load"]
    assert [each.name for each in seen.pods] == ["load-1-abcde"]
    assert [each.index for each in seen.jobs] == [1]
    assert (seen.calls, seen.at) == (3, NOON)


async def test_a_selector_limits_test_runs_only():
    world = api()

    await world.cluster().listed(NS, "team=blue")

    selectors = {
        request.url.path.rpartition("/")[2]: request.url.params["labelSelector"]
        for request in world.asked
    }
    assert selectors == {"testruns": "team=blue", "pods": "app=k6", "jobs": "app=k6"}


async def test_pages_follow_each_other():
    pages = [
        items("TestRun", a_run("a"), following="next/1=="),
        items("TestRun", a_run("b")),
    ]
    world = api(testruns=pages)

    seen = await world.cluster().listed(NS)

    assert [run.name for run in seen.runs] == ["a", "b"]
    assert seen.calls == 4
    asked = [r.url.params for r in world.asked if r.url.path.endswith("testruns")]
    assert [(each["limit"], each.get("continue")) for each in asked] == [
        ("500", None),
        ("500", "next/1=="),
    ]


async def test_a_list_that_expires_between_its_pages_begins_anew():
    world = api(
        testruns=[
            items("TestRun", a_run("old"), following="x"),
            EXPIRED,
            items("TestRun", a_run("a"), following="y"),
            items("TestRun", a_run("b")),
        ]
    )

    seen = await world.cluster().listed(NS)

    assert [run.name for run in seen.runs] == ["a", "b"]


async def test_a_list_that_expires_again_is_unavailable():
    with pytest.raises(Unavailable, match="2 times"):
        await api(testruns=EXPIRED).cluster().listed(NS)


async def test_a_list_without_end_is_given_up():
    world = api(testruns=items("TestRun", following="x"))

    with pytest.raises(Unavailable, match="more than 400 pages"):
        await world.cluster().listed(NS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Log in</html>",
        b'{"kind":"TestRunList","metadata":{}}',
        b'{"kind":"PodList","metadata":{},"items":[]}',
        b'{"kind":"TestRunList","metadata":{},"items":[{"metadata":{}}]}',
        json.dumps({"kind": "TestRunList", "metadata": {}, "items": [a_run()]}).encode()[:-20],
    ],
    ids=["empty", "a page", "without items", "another kind", "without a name", "cut"],
)
async def test_what_is_no_list_of_test_runs_is_not_an_empty_one(body):
    with pytest.raises(Unavailable):
        await api(testruns=httpx.Response(200, content=body)).cluster().listed(NS)


async def test_items_may_be_null_where_nothing_is():
    empty = ok({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": None})

    assert (await api(pods=empty).cluster().listed(NS)).pods == []


async def test_lists_are_asked_for_compressed():
    world = api()

    await world.cluster().listed(NS)

    assert {request.headers["Accept-Encoding"] for request in world.asked} == {"gzip"}


@pytest.mark.parametrize("hiccup", [status(503), httpx.ConnectError("refused")])
async def test_tries_count_as_calls(hiccup):
    world = api(pods=[hiccup, items("Pod")])

    assert (await world.cluster().listed(NS)).calls == 4


async def test_lists_end_at_their_limit():
    with pytest.raises(Unavailable, match="did not list 'k6-runs' within 0 s"):
        await api().cluster(list_limit=timedelta(0)).listed(NS)


async def test_an_answer_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr("syncsvc.adapters.kubernetes.calls.LARGEST_ANSWER", 100)

    with pytest.raises(Unavailable, match="more than 100 bytes"):
        await api(testruns=items("TestRun", a_run())).cluster().listed(NS)


async def test_of_an_endless_refusal_only_the_start_is_read(monkeypatch):
    monkeypatch.setattr("syncsvc.adapters.kubernetes.calls.LARGEST_ERROR", 10)

    with pytest.raises(Unavailable, match="answered 500"):
        await api(testruns=status(500, "x" * 1000)).cluster().listed(NS)
