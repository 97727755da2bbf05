"""Searching results: filters and pages."""

import pytest

from tests.protocol.sandbox.world import report


async def test_the_results_in_progress_of_one_run_are_found(world):
    await world.autotests("a", "b")
    run, other = await world.run(), await world.run()
    held, _ = await world.send(run, report("a", "InProgress"), report("b"))
    await world.send(other, report("a", "InProgress"))
    wanted = {"testRunIds": [run], "statusTypes": ["InProgress"]}

    found = await world.ask("POST", "/adapters/testResults/search", wanted)

    assert [each["id"] for each in found] == [held]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["a", "b", "c"]),
        ({"statusCodes": ["failed"]}, ["b"]),
        ({"outcomes": ["Skipped"]}, ["c"]),
        ({"statusTypes": ["Succeeded", "Failed"]}, ["a", "b"]),
        ({"configurationIds": []}, []),
        ({"name": "TEST B"}, ["b"]),
        ({"namespace": "elsewhere"}, []),
    ],
)
async def test_every_part_of_a_filter_narrows_the_search(world, wanted, names):
    await world.autotests("a", "b", "c")
    run = await world.run()
    await world.send(run, report("a"), report("b", "Failed"), report("c", "Incomplete"))

    found = await world.ask("POST", "/api/v2/testResults/search", wanted)

    assert [each["autotestExternalId"] for each in found] == names


async def test_results_are_found_by_the_global_id_of_their_autotest(world):
    [_, second] = await world.autotests("a", "b")
    run = await world.run()
    await world.send(run, report("a"), report("b"))

    wanted = {"autoTestGlobalIds": [second["globalId"]]}
    found = await world.ask("POST", "/api/v2/testResults/search", wanted)

    assert [each["autotestExternalId"] for each in found] == ["b"]


async def test_a_page_tells_how_much_there_is(world):
    names = [f"t{number}" for number in range(5)]
    await world.autotests(*names)
    run = await world.run()
    await world.send(run, *(report(name) for name in names))

    reply = await world.http.post("/api/v2/testResults/search?Skip=2&Take=2", json={})

    assert [each["autotestExternalId"] for each in reply.json()] == ["t2", "t3"]
    told = {name: reply.headers[f"Pagination-{name}"] for name in ("Skip", "Take", "Pages")}
    assert told == {"Skip": "2", "Take": "2", "Pages": "3"}
    assert reply.headers["Pagination-Total-Items"] == "5"


async def test_beyond_the_last_page_nothing_is_found(world):
    reply = await world.http.post("/adapters/testResults/search?skip=100&take=100", json={})

    assert (reply.status_code, reply.json()) == (200, [])


@pytest.mark.parametrize("query", ["Skip=-1", "Take=0", "Take=many", "Skip=1e9"])
async def test_a_bad_page_is_refused(world, query):
    reply = await world.http.post(f"/api/v2/testResults/search?{query}", json={})

    assert reply.status_code == 400


@pytest.mark.parametrize("surface", ["/api/v2", "/adapters"])
async def test_results_are_found_by_the_time_of_their_creation(world, surface):
    await world.autotests("a", "b")
    run = await world.run()
    await world.send(run, report("a", "InProgress"))
    [first] = (await world.seen(run))["results"]
    await world.send(run, report("b"))

    async def found(**moments):
        wanted = {"testRunIds": [run], "createdDate": moments}
        results = await world.ask("POST", f"{surface}/testResults/search", wanted)
        return [each["autotestExternalId"] for each in results]

    assert await found(to=first["created"]) == ["a"]
    assert await found(**{"from": first["created"]}) == ["a", "b"]
    assert await found(**{"from": "2099-01-01T00:00:00Z"}) == []
    assert await found() == ["a", "b"]


async def test_every_result_of_a_wanted_autotest_is_found_and_no_other(world):
    tests = await world.autotests("a", "b", "c")
    run, other = await world.run(), await world.run()
    for each in (run, other):
        await world.send(each, report("a", "InProgress"), report("b"), report("c"))
    await world.send(run, report("a"))
    numbers = [tests[0]["globalId"], tests[2]["globalId"], 999_999]

    found = await world.ask(
        "POST",
        "/api/v2/testResults/search",
        {"testRunIds": [run], "autoTestGlobalIds": numbers, "statusTypes": ["Succeeded"]},
    )

    assert [each["autotestExternalId"] for each in found] == ["a", "c"]
    assert {each["testRunId"] for each in found} == {run}
