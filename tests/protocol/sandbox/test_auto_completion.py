"""A run closes itself once every result known to it is final."""

from tests.protocol.sandbox.world import report


async def test_a_run_starts_with_its_first_result(world):
    await world.autotests("a")
    run = await world.run()

    await world.send(run, report("a", "InProgress"))

    assert (await world.seen(run))["state"] == "InProgress"


async def test_a_run_closes_after_its_very_first_result_if_that_is_final(world):
    await world.autotests("a")
    run = await world.run()

    await world.send(run, report("a"))

    seen = await world.seen(run)
    assert seen["state"] == "Completed"
    assert [(each["by"], each["results"]) for each in seen["completions"]] == [("itself", 1)]


async def test_one_open_result_keeps_a_run_open(world):
    await world.autotests("held", "b")
    run = await world.run()
    await world.send(run, report("held", "InProgress"))

    await world.send(run, report("b", "Failed"))

    assert (await world.seen(run))["state"] == "InProgress"


async def test_the_last_final_status_closes_a_run_exactly_once(world):
    await world.autotests("held", "b")
    run = await world.run()
    [held] = await world.send(run, report("held", "InProgress"))
    await world.send(run, report("b"))

    await world.ask("PUT", f"/api/v2/testResults/{held}", {"statusType": "Failed"})
    await world.ask("PUT", f"/api/v2/testResults/{held}", {"statusType": "Failed"})

    seen = await world.seen(run)
    assert [each["results"] for each in seen["completions"]] == [2]
    assert seen["late_results"] == 0


async def test_a_run_is_as_bad_as_its_worst_result(world):
    await world.autotests("a", "b", "c")
    run = await world.run()

    await world.send(run, report("a"), report("b", "Failed"), report("c", "Incomplete"))

    shown = await world.ask("GET", f"/api/v2/testRuns/{run}")
    assert shown["status"]["type"] == "Failed"


async def test_a_run_without_results_stays_open(world):
    run = await world.run()

    await world.ask("POST", f"/api/v2/testRuns/{run}/start")

    assert (await world.seen(run))["state"] == "InProgress"


async def test_a_late_result_is_kept_and_counted(world):
    await world.autotests("a", "b")
    run = await world.run()
    await world.send(run, report("a"))

    await world.send(run, report("b"))

    seen = await world.seen(run)
    assert (seen["state"], seen["late_results"], len(seen["results"])) == ("Completed", 1, 2)
    assert len(seen["completions"]) == 1


async def test_a_late_result_is_refused_where_the_rules_say_so(world):
    await world.ask("PUT", "/__sandbox__/rules", {"late_results": "refuse"})
    await world.autotests("a", "b")
    run = await world.run()
    await world.send(run, report("a"))

    reply = await world.refused(run, report("b"))

    assert (reply.status_code, reply.json()["detail"]) == (400, "Test run is stopped")
    assert len((await world.seen(run))["results"]) == 1


async def test_a_late_result_opens_the_run_again_where_the_rules_say_so(world):
    await world.ask("PUT", "/__sandbox__/rules", {"late_results": "reopen"})
    await world.autotests("a", "b")
    run = await world.run()
    await world.send(run, report("a"))

    [late] = await world.send(run, report("b", "InProgress"))

    assert (await world.seen(run))["state"] == "InProgress"
    await world.ask("PUT", f"/api/v2/testResults/{late}", {"statusType": "Succeeded"})
    assert [each["results"] for each in (await world.seen(run))["completions"]] == [1, 2]


async def test_a_stopped_run_takes_no_results(world):
    await world.autotests("a")
    run = await world.run()
    await world.ask("POST", f"/api/v2/testRuns/{run}/stop")

    reply = await world.refused(run, report("a"))

    assert (reply.status_code, reply.json()["detail"]) == (400, "Test run is stopped")
