"""Looks at a run, and what a step is after them."""

from syncsvc.loadtests.seen import Stage
from syncsvc.loadtests.sight import Sight
from syncsvc.loadtests.verdict import advance
from tests.support.builders import MINUTE, NOON
from tests.unit.loadtests.lives import a_run, a_step


def looked(*looks: Sight, step=None):
    step = step or a_step()
    for number, look in enumerate(looks):
        step = advance(step, look, NOON + number * MINUTE)
    return step


def over(*pods, jobs=(), parallelism: int | None = None, **known) -> Sight:
    count = parallelism if parallelism is not None else len(pods)
    return Sight(a_run(Stage.FINISHED, parallelism=count, **known), pods, jobs)


def running(**known) -> Sight:
    return Sight(a_run(Stage.STARTED, **known))


def verdict(step) -> tuple:
    return step.phase, step.result, step.reason
