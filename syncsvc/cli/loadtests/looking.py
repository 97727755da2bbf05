"""Commands that look at load tests: many, one, the cycles."""

from collections.abc import Sequence
from dataclasses import replace

from syncsvc.cli.loadtests import listing, reading, showing
from syncsvc.cli.loadtests.asking import ask
from syncsvc.cli.loadtests.naming import before_meant, load_test_meant
from syncsvc.loadtests.ports import Cycle, KeptLog, Which
from syncsvc.loadtests.showing import Shown
from syncsvc.wiring.loadtests import Watch
from syncsvc.wiring.moments import now


def tests(which: Which, status: str | None, *, as_json: bool) -> None:
    """List load tests; `before` may be how an id begins."""
    wanted = reading.status(status)
    reading.checked_texts(
        {"--cluster": which.cluster, "--namespace": which.namespace, "--text": which.text}
    )

    async def story(watch: Watch) -> tuple[Sequence[Shown], Which]:
        before = await before_meant(watch.showing, which.before)
        meant = replace(which, status=wanted, before=before)
        return await watch.showing.listed(meant), meant

    found, meant = ask(story)
    listing.tests(found, meant, now(), as_json=as_json)


def show(name: str, *, as_json: bool) -> None:
    async def story(watch: Watch) -> tuple[Shown, Sequence[KeptLog]]:
        shown = await load_test_meant(watch.showing, name, "NAME")
        return shown, await watch.showing.logs.logs([step.id for step in shown.steps])

    shown, logs = ask(story)
    showing.details(shown, logs, now(), as_json=as_json)


def cycles(limit: int, *, as_json: bool) -> None:
    async def story(watch: Watch) -> Sequence[Cycle]:
        return await watch.showing.latest_cycles(limit)

    listing.cycles(ask(story), as_json=as_json)
