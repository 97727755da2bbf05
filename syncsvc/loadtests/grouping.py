"""Which TestRuns that were found belong to one load test, by their labels.

TestRuns of one `testrun` label are steps of one load test, named by their `step` label and in the
order of their `stepOrder`; any other is a load test of one step.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import blake2b

from syncsvc.loadtests.model import LoadTest, Step
from syncsvc.loadtests.ports import Group, Place
from syncsvc.loadtests.seen import TestRunSeen

GROUP, STEP, ORDER = "testrun", "step", "stepOrder"
FIRST = 1  # the order of a step that does not tell its own
KEPT = 20  # labels of a load test


def grouped(
    place: Place, runs: Iterable[TestRunSeen], now: datetime, new_id: Callable[[], str]
) -> Sequence[Group]:
    """Sort TestRuns of a place into load tests. The same ones have the same id every time."""
    by_id: dict[str, list[TestRunSeen]] = {}
    for run in runs:
        by_id.setdefault(_test_id(place, run), []).append(run)
    return [_group(place, test_id, found, now, new_id) for test_id, found in by_id.items()]


def step_of(place: Place, test_id: str, run: TestRunSeen, step_id: str, now: datetime) -> Step:
    """Begin to watch a TestRun that is there."""
    return Step(
        id=step_id,
        test_id=test_id,
        name=run.labels.get(STEP) or run.name,
        order=_order(run),
        cluster=place.cluster,
        namespace=place.namespace,
        test_run=run.name,
        registered_at=now,
        phase_since=now,
        uid=run.uid,
        run_created_at=run.created_at,
        cleans_up=run.cleans_up,
    )


def _group(
    place: Place,
    test_id: str,
    runs: Sequence[TestRunSeen],
    now: datetime,
    new_id: Callable[[], str],
) -> Group:
    ordered = sorted(runs, key=lambda run: (_order(run), run.created_at, run.name))
    first = ordered[0]
    labels = dict(sorted(first.labels.items())[:KEPT])
    name = first.labels.get(GROUP) or first.name
    test = LoadTest(test_id, name, min(run.created_at for run in runs), labels=labels)
    return Group(test, [step_of(place, test_id, run, new_id(), now) for run in ordered])


def _test_id(place: Place, run: TestRunSeen) -> str:
    told = (place.cluster, place.namespace, run.labels.get(GROUP) or run.uid)
    return blake2b("\0".join(told).encode(), digest_size=16).hexdigest()


def _order(run: TestRunSeen) -> int:
    word = run.labels.get(ORDER, "")
    return int(word) if word.isascii() and word.isdigit() and len(word) < 6 else FIRST
