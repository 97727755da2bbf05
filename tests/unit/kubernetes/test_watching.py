"""Watches give changes as they come, and say when to list anew."""

import httpx
import pytest

from syncsvc.adapters.kubernetes.failures import Gone
from syncsvc.adapters.kubernetes.watching import Change
from syncsvc.errors import Unavailable, Unknown
from syncsvc.loadtests.clusters import Forbidden
from syncsvc.loadtests.seen import Stage
from tests.unit.kubernetes.api import NS, a_run, api, failure, lines, pod, status


def change(kind: str, of: dict, version: str = "8") -> dict:
    return {
        "type": kind,
        "object": {**of, "metadata": {**of["metadata"], "resourceVersion": version}},
    }


BOOKMARK = {"type": "BOOKMARK", "object": {"kind": "TestRun", "metadata": {"resourceVersion": "9"}}}


async def changes(world, what: str = "test_runs"):
    watch = getattr(world.cluster(), f"watch_{what}")
    return [event async for event in watch(NS, "7")]


async def test_changes_of_test_runs_come_with_their_versions():
    world = api(testruns=lines(change("MODIFIED", a_run(stage="started")), BOOKMARK))

    changed, bookmark = await changes(world)

    assert (changed.change, changed.seen.stage, changed.version) == (
        Change.MODIFIED,
        Stage.STARTED,
        "8",
    )
    assert (bookmark.change, bookmark.seen, bookmark.version) == (Change.BOOKMARK, None, "9")


async def test_a_watch_begins_after_a_version_and_ends_by_itself():
    world = api(testruns=lines())

    assert await changes(world) == []
    asked = world.asked[0].url.params
    assert (asked["watch"], asked["resourceVersion"]) == ("true", "7")
    assert (asked["allowWatchBookmarks"], asked["timeoutSeconds"]) == ("true", "240")


async def test_a_watch_without_a_version_begins_with_what_is_there():
    world = api(testruns=lines(change("ADDED", a_run())))

    (added,) = [event async for event in world.cluster().watch_test_runs(NS)]

    assert added.change is Change.ADDED
    assert "resourceVersion" not in world.asked[0].url.params
    assert "labelSelector" not in world.asked[0].url.params


async def test_pods_are_watched_by_their_label():
    world = api(pods=lines(change("DELETED", pod("load-1-x"))))

    (deleted,) = await changes(world, "pods")

    assert (deleted.change, deleted.seen.name) == (Change.DELETED, "load-1-x")
    assert world.asked[0].url.params["labelSelector"] == "app=k6"


async def test_a_version_that_is_forgotten_is_gone_in_the_stream():
    error = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}

    with pytest.raises(Gone, match="Expired"):
        await changes(api(testruns=lines(error)))


async def test_a_version_that_is_forgotten_is_gone_at_once():
    with pytest.raises(Gone):
        await changes(api(testruns=failure(410, "Expired", "too old")))


async def test_another_error_in_the_stream_is_unavailable():
    error = {"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "etcd"}}

    with pytest.raises(Unavailable, match="etcd"):
        await changes(api(testruns=lines(error)))


async def test_an_event_that_is_none_is_unavailable():
    with pytest.raises(Unavailable, match="cannot be read"):
        await changes(api(testruns=httpx.Response(200, content=b"<html>\n")))


async def test_refusals_of_a_watch_are_those_of_a_list():
    with pytest.raises(Forbidden, match="can-i watch testruns"):
        await changes(api(testruns=failure(403, "Forbidden", "no")))
    with pytest.raises(Unknown):
        await changes(api(testruns=status(404, "404 page not found\n")))


async def test_a_watch_that_falls_silent_is_unavailable():
    with pytest.raises(Unavailable):
        await changes(api(testruns=httpx.ReadTimeout("silent")))
