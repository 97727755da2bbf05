"""The Role that the how-to shows is what watching load tests needs, and no more."""

import re
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import pytest
import yaml

from syncsvc.errors import SyncsvcError
from syncsvc.loadtests.model import LogsState, Reason
from syncsvc.sandbox.kubernetes.rights import READABLE, READS
from tests.integration.loadtests.watched import Watched, a_watched
from tests.support.kubernetes import NAMESPACE

Right = tuple[str, str]  # verb and resource
PAGE = Path(__file__).parents[3] / "docs/howto/watch-load-tests.md"


def documented() -> list[Right]:
    """Read the rights of the Role in the how-to."""
    block = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    role = next(yaml.safe_load_all(block[1]))
    return [right for rule in role["rules"] for right in product(rule["verbs"], rule["resources"])]


@pytest.fixture
async def world(sqlite) -> AsyncIterator[Watched]:
    async with a_watched(sqlite) as watched:
        yield watched


async def grant(world: Watched, rights: list[Right]) -> None:
    """Let nobody do anything but this."""
    lacking = [right for right in product(READS, READABLE) if right not in rights]
    forbidden = [{"verb": verb, "resource": resource} for verb, resource in lacking]
    await world.k8s.tell("PUT", "/switches", {"forbidden": forbidden})


async def everything(world: Watched) -> None:
    """Do all that asks a cluster, with a run that fails."""
    await world.watch("load")
    await world.cycle()
    await world.k8s.step("finished", name="load")
    report = await world.cycle()
    assert not report.errors, report.step_errors[0].error
    async for _ in world.clusters.of("main").watch_pods(NAMESPACE):
        break
    async for _ in world.clusters.of("main").watch_test_runs(NAMESPACE):
        break


async def test_the_documented_role_is_enough(world):
    await grant(world, documented())
    await world.k8s.testruns(name="load", scenario={"exits": [0, 99]}, until="started")

    await everything(world)

    step = await world.step("load")
    assert (step.reason, step.logs) == (Reason.THRESHOLDS, LogsState.COMPLETE)


@pytest.mark.parametrize("right", documented(), ids=" ".join)
async def test_without_one_of_its_rights_an_error_names_it(world, right):
    await grant(world, [each for each in documented() if each != right])
    await world.k8s.testruns(name="load", until="started")

    with pytest.raises((SyncsvcError, AssertionError)) as refused:
        await everything(world)

    verb, resource = right
    plural, _, part = resource.partition("/")
    option = f" --subresource={part}" if part else ""
    assert re.search(rf"can-i {verb} {plural}[.a-z0-9]*{option} --namespace", str(refused.value))
