import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from syncsvc.errors import Conflict, Rejected, Unavailable
from syncsvc.loadtests.clusters import Forbidden
from syncsvc.loadtests.model import Phase, Reason, Result
from syncsvc.loadtests.seen import Listed, Stage
from tests.support.builders import NOON, SECOND
from tests.support.clusters import FakeCluster, stamped
from tests.support.loadtest_cycles import World


@pytest.fixture
def world() -> World:
    return World()


async def test_a_run_that_ends_well_is_seen_to_its_end(world):
    world.launch(runners=2)
    await world.cycle()
    world.main.end("checkout", 0, 0)

    report = await world.cycle()

    assert (world.of().phase, world.of().result) == (Phase.FINISHED, Result.SUCCEEDED)
    assert (report.total, report.updated, report.errors) == (1, 1, 0)


async def test_one_of_four_runners_that_crosses_thresholds_fails_the_step_and_is_named(world):
    world.launch(runners=4)
    await world.cycle()
    world.main.end("checkout", 0, 0, 99, 0)

    await world.cycle()

    step = world.of()
    assert (step.result, step.reason) == (Result.FAILED, Reason.THRESHOLDS)
    assert "runner 3" in step.detail


async def test_an_api_that_is_down_for_a_while_loses_and_invents_nothing(world):
    world.launch()
    await world.cycle()
    before = world.of()
    world.main.down = Unavailable("cluster 'main' did not answer")

    for _ in range(15):
        await world.cycle()

    step = world.of()
    assert (step.phase, step.result) == (before.phase, None)
    assert (step.stale.errors, step.stale.since) == (15, NOON + 40 * SECOND)
    assert step.stale.last_error == "cluster 'main' did not answer"


async def test_an_api_that_is_back_shows_what_has_happened_meanwhile(world):
    world.launch()
    await world.cycle()
    world.main.down = Unavailable("cluster 'main' did not answer")
    await world.cycle()
    world.main.end("checkout", 0)
    world.main.down = None

    report = await world.cycle()

    assert (world.of().result, world.of().stale) == (Result.SUCCEEDED, None)
    assert report.errors == 0


async def test_of_a_thousand_steps_five_fail_and_are_named(world):
    for number in range(1000):
        namespace = "sealed" if number % 200 == 0 else "load"
        world.main.launch(f"run-{number}", namespace)
        world.step(f"run-{number}", namespace=namespace)
    world.main.errors["sealed"] = Forbidden("cannot list testruns in namespace 'sealed'")

    with capture_logs() as lines:
        report = await world.cycle()

    assert (report.total, report.updated, report.errors) == (1000, 995, 5)
    names = {error.name for error in report.step_errors}
    assert names == {"run-0", "run-200", "run-400", "run-600", "run-800"}
    [line] = lines
    assert (line["total"], line["updated"], line["errors"]) == (1000, 995, 5)
    assert line["step_errors"][0] == "run-0: cannot list testruns in namespace 'sealed'"
    assert len(line["step_errors"]) == 5


async def test_a_place_is_listed_once_whatever_the_number_of_its_steps(world):
    for number in range(40):
        world.launch(f"run-{number}")

    await world.cycle()

    assert world.main.calls == {"list": 1, "log": 40}


async def test_a_namespace_that_is_forbidden_harms_no_other_and_tells_the_missing_right(world):
    world.launch("open")
    world.step("closed", namespace="sealed")
    world.main.errors["sealed"] = Forbidden("list testruns.k6.io in namespace 'sealed' refused")

    report = await world.cycle()

    assert world.of("open").phase is Phase.RUNNING
    assert world.of("closed").stale.last_error == (
        "list testruns.k6.io in namespace 'sealed' refused"
    )
    assert [error.name for error in report.step_errors] == ["closed"]


async def test_a_step_of_a_cluster_that_is_not_configured_is_an_error(world):
    world.launch("here")
    world.step("there", cluster="moon")

    report = await world.cycle()

    assert world.of("here").phase is Phase.RUNNING
    assert report.step_errors[0].error == "cluster: expected one of main, found 'moon'"


async def test_two_clusters_are_watched_side_by_side(world):
    world.clusters["second"] = FakeCluster(world.clock)
    world.clusters["second"].launch("there")
    world.launch("here")
    world.step("there", cluster="second")

    await world.cycle()

    assert (world.of("here").phase, world.of("there").phase) == (Phase.RUNNING, Phase.RUNNING)


async def test_an_absence_is_asked_for_and_then_believed_at_once(world):
    world.launch()
    await world.cycle()
    world.main.remove("checkout")

    await world.cycle()

    assert (world.of().phase, world.of().reason) == (Phase.GONE, Reason.DELETED)
    assert world.main.calls["get"] == 1


async def test_more_absences_than_may_be_asked_for_are_believed_in_the_next_cycle(world):
    world.terms = replace(world.terms, proofs=2)
    world.restart()
    for number in range(5):
        world.launch(f"run-{number}")
    await world.cycle()
    for number in range(5):
        world.main.remove(f"run-{number}")

    await world.cycle()
    first = sum(world.of(f"run-{number}").is_over for number in range(5))
    world.terms = replace(world.terms, proofs=0)
    await world.cycle()

    assert first == 2
    assert all(world.of(f"run-{number}").phase is Phase.GONE for number in range(5))


async def test_a_list_that_lacks_what_is_there_is_an_error_and_nothing_of_it_is_believed(world):
    class Forgetful(FakeCluster):
        async def listed(self, namespace, selector=None):
            return Listed([], [], [], self.clock(), 3)

    for number in range(5):
        world.launch(f"run-{number}")
    await world.cycle()
    world.clusters["main"] = Forgetful(world.clock, world.main.runs, world.main.pods)
    world.terms = replace(world.terms, proofs=0)
    world.restart()

    reports = [await world.cycle() for _ in range(3)]

    steps = [world.of(f"run-{number}") for number in range(5)]
    assert {(step.phase, step.absences) for step in steps} == {(Phase.RUNNING, 0)}
    assert steps[0].stale.last_error == (
        "cluster 'main' listed namespace 'load' without TestRun 'run-0', which is there"
    )
    assert [report.errors for report in reports] == [5, 5, 5]


async def test_an_absence_that_cannot_be_asked_for_waits_for_the_next_list(world):
    class Mute(FakeCluster):
        async def test_run(self, namespace, name):
            raise Unavailable("not now")

    world.clusters["main"] = Mute(world.clock)
    world.launch()
    await world.cycle()
    world.main.remove("checkout")

    await world.cycle()
    after_one = world.of()
    await world.cycle()

    assert (after_one.phase, after_one.absences) == (Phase.RUNNING, 1)
    assert world.of().phase is Phase.GONE


async def test_a_run_that_a_list_lacked_by_mistake_goes_on(world):
    class Forgetful(FakeCluster):
        async def listed(self, namespace, selector=None):
            return replace(await super().listed(namespace, selector), runs=())

    world.launch()
    await world.cycle()
    world.clusters["main"].__class__ = Forgetful

    await world.cycle()

    assert (world.of().phase, world.of().absences) == (Phase.RUNNING, 0)


async def test_a_cycle_that_is_not_the_newest_stops_at_its_first_conflict(world):
    world.launch()
    begin = world.home.begin
    world.home.begin = lambda at: overtaken(begin, at)

    with pytest.raises(Conflict):
        await world.cycle()

    assert world.of().phase is Phase.PENDING
    assert world.main.calls["log"] == 0
    assert 1 in world.home.reports


async def overtaken(begin, at):
    fence = await begin(at)
    await begin(at)
    return fence


async def test_a_place_that_hangs_does_not_hold_the_others_up(world):
    class Hanging(FakeCluster):
        async def listed(self, namespace, selector=None):
            await asyncio.Event().wait()

    world.clusters["far"] = Hanging(world.clock)
    world.terms = replace(world.terms, look=SECOND / 100)
    world.restart()
    world.launch("here")
    world.step("there", cluster="far")

    report = await world.cycle()

    assert world.of("here").phase is Phase.RUNNING
    assert report.step_errors[0].error == (
        "cluster 'far' did not show namespace 'load' within 0.01 s"
    )


async def test_a_step_that_waits_too_long_says_for_what(world):
    world.step("never")

    await world.cycle(after=400 * SECOND)

    assert world.of("never").stalled == (
        "PENDING for 6 min 40 s: there is no TestRun never in namespace load"
    )


async def test_the_report_tells_calls_bytes_and_time(world):
    world.launch()
    world.main.emit("checkout", stamped(1))

    report = await world.cycle()

    assert (report.calls, report.size, report.logs_updated) == (4, len(stamped(1)), 1)
    assert world.home.reports == {1: report}


async def test_a_cycle_that_is_cancelled_leaves_what_the_next_one_goes_on_from(world):
    world.launch()
    world.main.emit("checkout", stamped(1) + stamped(2))
    world.home.dies_at = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await world.cycle()
    world.home.dies_at = None

    await world.cycle()

    assert world.text_of() == stamped(1) + stamped(2)


async def test_a_step_that_failed_on_its_logs_still_has_its_status(world):
    world.launch()
    world.main.log_errors["checkout-1-x"] = Rejected("500: the kubelet is down")

    report = await world.cycle()

    assert world.of().phase is Phase.RUNNING
    assert (report.updated, report.errors) == (1, 1)


async def test_steps_are_kept_in_portions(world):
    for number in range(1001):
        world.launch(f"run-{number}", stage=Stage.CREATED)

    await world.cycle()

    assert world.home.saves[:3] == [500, 500, 1]
