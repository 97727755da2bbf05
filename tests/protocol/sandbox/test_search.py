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
