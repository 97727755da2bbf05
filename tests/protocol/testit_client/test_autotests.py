"""Tests of pushed results are autotests of Test IT: created, updated, never impoverished."""

import asyncio
from typing import Any

import pytest

from syncsvc.adapters.testit.autotests import Autotests, Project
from syncsvc.errors import Rejected
from syncsvc.results.pushed.model import Result
from tests.protocol.testit_client.client import PROJECT, Client, result

FULL = {
    "name": "Buy",
    "namespace": "shop",
    "classname": "Cart",
    "title": "Buys",
    "description": "A customer buys",
    "labels": ["smoke", "env::test"],
    "layer": "api",
}


async def ensured(client: Client, *results: Result) -> None:
    run = client.a_run("any")
    await client.pushes.ensure_autotests(run, PROJECT, results)


def labels(autotest: dict[str, Any]) -> set[str]:
    return {label["name"] for label in autotest["labels"]}


async def test_an_autotest_is_created_as_described(client: Client):
    await ensured(client, result("full", **FULL), result("bare"))

    full, bare = await client.autotest("full"), await client.autotest("bare")
    told = ("name", "namespace", "classname", "title", "description")
    assert {name: full[name] for name in told} == {name: FULL[name] for name in told}
    assert labels(full) == {"smoke", "env::test", "layer::api"}
    assert (bare["name"], bare["labels"]) == ("bare", [])


async def test_what_is_known_and_unchanged_costs_no_request(client: Client):
    await ensured(client, result("a", **FULL))
    client.sent.clear()

    await ensured(client, result("a", "failed", message="no matter", **FULL))

    assert client.sent == []


async def test_another_process_finds_it_unchanged_and_updates_nothing(client: Client):
    await ensured(client, result("a", **FULL))
    client.sent.clear()

    elsewhere = Autotests(client.calls)
    await elsewhere.ensure(Project(client.destination, PROJECT), [result("a", **FULL)])

    assert client.asked == ["POST /autoTests/search"]


async def test_only_what_changed_is_updated_and_what_others_set_is_kept(client: Client):
    await client.arrange(
        "POST",
        "/api/v2/autoTests",
        {
            "projectId": PROJECT,
            "externalId": "a",
            "externalKey": "KEY-1",
            "name": "Old",
            "namespace": "shop",
            "description": "By hand",
            "isFlaky": True,
            "steps": [{"title": "s", "description": "d", "steps": [{"title": "inner"}]}],
            "setup": [{"title": "up"}],
            "labels": [{"name": "mine"}, {"name": "env::prod"}],
            "links": [{"url": "https://x.example", "type": "Issue", "hasInfo": False}],
            "tags": ["tag"],
        },
    )
    await ensured(client, result("same", name="Same"))
    await client.arrange("POST", f"/api/v2/autoTests/{await number(client)}/workItems", {"id": "7"})
    client.sent.clear()

    await ensured(client, result("a", name="New", labels=["env::test"]))

    after = await client.autotest("a")
    assert (after["name"], after["namespace"], after["description"]) == ("New", "shop", "By hand")
    assert labels(after) == {"mine", "env::test"}
    assert (after["externalKey"], after["isFlaky"], after["tags"]) == ("KEY-1", True, ["tag"])
    assert after["steps"][0]["title"] == "s"
    assert after["steps"][0]["steps"][0]["title"] == "inner"
    assert [step["title"] for step in after["setup"]] == ["up"]
    assert [(link["url"], link["type"]) for link in after["links"]] == [
        ("https://x.example", "Issue")
    ]
    items = await client.arrange("GET", f"/api/v2/autoTests/{await number(client)}/workItems")
    assert [item["globalId"] for item in items] == [7]
    assert client.asked == ["POST /autoTests/search", "PUT /autoTests/bulk"]


async def number(client: Client) -> int:
    return (await client.autotest("a"))["globalId"]


async def test_several_processes_that_create_the_same_tests_all_succeed(client: Client):
    project = Project(client.destination, PROJECT)
    everyone = [Autotests(client.calls) for _ in range(4)]

    await asyncio.gather(
        *(
            each.ensure(project, [result(f"t{n}") for n in range(first, first + 40)])
            for first, each in zip((0, 10, 20, 30), everyone, strict=True)
        )
    )

    found = [
        await each.global_ids(project, [result(f"t{n}") for n in range(70)]) for each in everyone
    ]
    assert len(found[0]) == 70
    assert all(each == found[0] for each in found)


async def test_a_creation_whose_answer_was_lost_is_asked_for_again_without_a_search(client: Client):
    await client.board.ping(client.destination)
    lost = {"kind": "timeout_after_store", "seconds": 5, "method": "POST", "times": 1}
    await client.faults(lost | {"pattern": "autoTests/bulk$"})
    client.sent.clear()

    with client.impatient():
        await ensured(client, result("a"))

    assert (await client.autotest("a"))["name"] == "a"
    assert [request.url.path.rpartition("autoTests/")[2] for request in client.sent] == [
        "search",
        "bulk",
        "bulk",
    ]


async def test_creations_refused_as_existing_end_as_rejected(client: Client):
    await client.board.ping(client.destination)
    refused = {"kind": "status", "code": 409, "method": "POST", "pattern": "autoTests/bulk$"}
    await client.faults(refused)

    with pytest.raises(Rejected, match="perhaps they were deleted: a"):
        await ensured(client, result("a"))


async def test_many_tests_are_asked_for_by_the_hundred(client: Client):
    await client.board.ping(client.destination)
    client.sent.clear()

    await ensured(client, *[result(f"t{n}") for n in range(250)])

    assert len(client.sent) == 6


async def test_a_description_that_is_refused_is_rejected(client: Client):
    with pytest.raises(Rejected, match="404"):
        await client.pushes.ensure_autotests(
            client.a_run("any"), "00000000-0000-4000-8000-000000000000", [result("a")]
        )
