"""The control surface and the page: what a test or a person sees of a sandbox."""

from uuid import uuid4

import pytest

from tests.protocol.sandbox.world import report


async def test_the_control_surface_needs_no_token(world):
    world.http.headers.pop("Authorization")

    assert (await world.http.get("/__sandbox__/state")).status_code == 200


async def test_calls_are_logged_and_counted_by_route(world):
    run = await world.run()
    await world.http.get(f"/api/v2/testRuns/{run}")
    await world.http.get(f"/api/v2/testRuns/{uuid4()}")

    log = await world.ask("GET", "/__sandbox__/calls?last=1")

    assert log["counters"] == {
        "POST /api/v2/testRuns": {"201": 1},
        "GET /api/v2/testRuns/{id}": {"200": 1, "404": 1},
    }
    assert [(each["method"], each["status"]) for each in log["calls"]] == [("GET", 404)]
    assert log["total"] == 3


async def test_the_log_is_cleared_after_it_was_read(world):
    await world.run()

    before = await world.ask("GET", "/__sandbox__/calls?clear")
    after = await world.ask("GET", "/__sandbox__/calls")

    assert (before["total"], after["total"], after["calls"]) == (1, 0, [])


@pytest.mark.parametrize("query", ["calls?last=0", "calls?last=all", "state?run=17"])
async def test_a_bad_query_is_refused(world, query):
    assert (await world.http.get(f"/__sandbox__/{query}")).status_code == 400


async def test_a_reset_forgets_everything(world):
    await world.autotests("a")
    await world.send(await world.run(), report("a"))
    await world.ask("PUT", "/__sandbox__/rules", {"late_results": "refuse"})
    await world.faults({"kind": "status", "code": 503})

    await world.ask("POST", "/__sandbox__/reset")

    state = await world.ask("GET", "/__sandbox__/state")
    assert (state["runs"], state["autotests"], state["rules"]["late_results"]) == ([], 0, "accept")
    assert (await world.ask("GET", "/__sandbox__/faults"))["rules"] == []


async def test_a_rule_left_out_stays_as_it_is(world):
    await world.ask("PUT", "/__sandbox__/rules", {"late_results": "refuse"})

    await world.ask("PUT", "/__sandbox__/rules", {"bound_results": "fill"})

    assert await world.ask("GET", "/__sandbox__/rules") == {
        "late_results": "refuse",
        "bound_results": "fill",
        "adapters_surface": True,
    }


async def test_an_unknown_word_for_a_rule_is_told_the_known_ones(world):
    reply = await world.http.put("/__sandbox__/rules", json={"late_results": "shrug"})

    detail = reply.json()["detail"]
    assert detail == 'late_results: found "shrug", expected accept, refuse, reopen'


async def test_the_page_shows_runs_results_and_faults(world):
    await world.autotests("<b>")
    await world.send(await world.run(name="nightly & co"), report("<b>", "Failed"))
    await world.faults({"kind": "status", "code": 503})

    page = (await world.http.get("/")).text

    assert "nightly &amp; co" in page
    assert "<td>&lt;b&gt;</td>" in page
    assert "closed by itself" in page
    assert "code=503" in page
    assert 'http-equiv="refresh"' in page


async def test_the_page_of_an_empty_sandbox_says_so(world):
    assert "None yet." in (await world.http.get("/")).text


async def test_the_tally_names_what_was_stored_twice(world):
    await world.autotests("a", "b")
    run, other = await world.run(), await world.run()
    await world.send(run, report("a", "InProgress", properties={"syncsvc": "1"}), report("b"))
    await world.send(run, report("a", properties={"syncsvc": "1"}))
    await world.send(other, report("a"))

    tally = await world.ask("GET", f"/__sandbox__/tally?run={run}")

    assert tally == {
        "results": 3,
        "open": 1,
        "statuses": {"InProgress": 1, "Passed": 2},
        "tests": {"a": 2, "b": 1},
        "more_than_once": ["a"],
        "proofs": 1,
        "proofs_more_than_once": ["1"],
        "without_proof": 1,
        "finalised_more_than_once": [],
    }
    assert (await world.ask("GET", "/__sandbox__/tally"))["results"] == 4


async def test_the_tally_of_no_run_is_not_found(world):
    assert (await world.http.get(f"/__sandbox__/tally?run={uuid4()}")).status_code == 404


async def test_the_state_shows_the_properties_of_each_result(world):
    await world.autotests("a")
    run = await world.run()

    await world.send(run, report("a", properties={"syncsvc": "entry"}))

    [result] = (await world.seen(run))["results"]
    assert result["properties"] == {"syncsvc": "entry"}
