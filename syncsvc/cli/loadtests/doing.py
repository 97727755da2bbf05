"""Commands that take load tests up, wait for them, or look at all of them now."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import typer

from syncsvc.cli.loadtests import showing
from syncsvc.cli.loadtests.asking import ask, need_cluster
from syncsvc.cli.loadtests.codes import OK, UNKNOWN, code_of
from syncsvc.cli.loadtests.telling import Teller, teller
from syncsvc.cli.loadtests.waiting import Waiting
from syncsvc.cli.loadtests.wording import few, many, size, span
from syncsvc.cli.plain import as_json_line
from syncsvc.gateway.k6_views import DiscoveredView, LoadTestDetails, RegisteredView, ReportView
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.ports import CycleReport
from syncsvc.loadtests.registering import Registered, WishedStep
from syncsvc.loadtests.selecting import selector
from syncsvc.loadtests.showing import Shown
from syncsvc.wiring.loadtests import Watch
from syncsvc.wiring.moments import now

GO_ON = "what is watched stays so: look with 'syncsvc k6 show NAME'"


@dataclass(frozen=True, slots=True)
class Wish:
    """A load test to watch, as the command line names it."""

    name: str
    steps: Sequence[WishedStep]
    labels: Mapping[str, str]

    async def register(self, watch: Watch) -> Registered:
        """Take it up; steps that are part of another load test already are told as notes."""
        need_cluster(watch)
        found = await watch.registering.watch(self.name, self.steps, self.labels)
        return replace(found, notes=[*found.notes, *await self._elsewhere(watch, found)])

    async def _elsewhere(self, watch: Watch, found: Registered) -> Sequence[str]:
        ids = dict.fromkeys(step.test_id for step in found.steps if step.id not in found.new)
        tests = [await watch.tests.test(each) for each in ids]
        return [
            f"{step.test_run}: a step of load test {test.name!r} ({test.id}) already"
            for test in tests
            for step in found.steps
            if step.test_id == test.id and test.name != self.name
        ]


def watch(wish: Wish, *, as_json: bool) -> None:
    """Watch TestRuns from now on."""
    found = ask(wish.register)
    if as_json:
        as_json_line(RegisteredView.of(found, now()))
    else:
        showing.registered([found])


def wait(wish: Wish, timeout: timedelta | None, *, as_json: bool) -> int:
    """Watch TestRuns until all are over, and give the exit code for what came of them."""
    try:
        with teller(quiet=as_json) as telling:
            registered, steps = ask(_until_over(wish, timeout, telling))
    except typer.Exit:
        typer.echo(f"interrupted: {GO_ON}", err=True)
        raise
    found = Shown(registered.test, steps)
    if as_json:
        as_json_line(LoadTestDetails.of(found, now()))
    else:
        showing.outcome(found, now())
    late = [step for step in steps if not step.is_over]
    if late and timeout is not None:
        at = ", ".join(few([f"{step.name} is {step.phase}" for step in late]))
        typer.echo(f"not over within {span(timeout)}: {at}; {GO_ON}", err=True)
    return code_of(steps)


def discover(text: str, cluster: str | None, namespace: str | None, *, as_json: bool) -> None:
    """Watch the TestRuns of a namespace that a selector takes."""
    wanted = selector("--selector", text)

    async def story(watch: Watch) -> tuple[Sequence[Registered], str]:
        need_cluster(watch)
        place = watch.registering.place(cluster, namespace)
        found = await watch.registering.discover(wanted, cluster, namespace)
        return found, f"namespace {place.namespace!r} of cluster {place.cluster!r}"

    found, place = ask(story)
    if as_json:
        as_json_line(DiscoveredView([RegisteredView.of(each, now()) for each in found]))
    elif not found:
        typer.echo(f"no TestRun in {place} is taken by {text!r}")
    else:
        showing.registered(found)


def sync(patience: timedelta, *, as_json: bool) -> int:
    """Run a cycle now, say what it did, and give the exit code."""

    async def story(watch: Watch) -> CycleReport:
        return await watch.polling.poll_now(patience)

    report = ask(story)
    if as_json:
        as_json_line(ReportView.of(report))
    else:
        _tell(report)
    return UNKNOWN if report.errors else OK


def _until_over(
    wish: Wish, timeout: timedelta | None, telling: Teller
) -> Callable[[Watch], Awaitable[tuple[Registered, Sequence[Step]]]]:
    async def story(watch: Watch) -> tuple[Registered, Sequence[Step]]:
        found = await wish.register(watch)
        for note in found.notes:
            telling.say(f"note: {note}")
        steps = await Waiting(watch, telling).until_over(found.steps, timeout)
        return Registered(await watch.tests.test(found.test.id), steps, found.new), steps

    return story


def _tell(report: CycleReport) -> None:
    for line in few([f"{each.name}: {each.error}" for each in report.step_errors]):
        typer.echo(f"error: {line}", err=True)
    typer.echo(
        f"{many(report.total, 'step')} looked at, {report.updated} updated, "
        f"{many(report.errors, 'error')}, {many(report.logs_updated, 'log')} read on; "
        f"{many(report.calls, 'call')}, {size(report.size)} in {span(report.duration)}"
    )
