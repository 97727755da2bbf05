"""How steps are recorded and get on; tests follow them in the same transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from syncsvc.errors import Rejected
from syncsvc.loadtests.model import LoadTest, Step
from syncsvc.loadtests.parents import derived, in_order
from syncsvc.loadtests.recognizing import recognized
from syncsvc.loadtests.sql_rows import (
    WATCHED,
    add,
    batches,
    check,
    derived_row,
    hold,
    progress_row,
    read_step,
    read_test,
    said,
    step_row,
    test_row,
)
from syncsvc.stores.sql.loadtest_tables import loadtest_steps, loadtests

STEP = loadtest_steps.c
THIS_STEP = STEP.id == bindparam("this")
THIS_TEST = loadtests.c.id == bindparam("this")


def register(connection: Connection, test: LoadTest, steps: Sequence[Step]) -> Sequence[Step]:
    if not steps:
        raise Rejected(f"load test {test.name[:80]!r}: expected at least one step, found none")
    hold(connection)
    given, new = recognized(steps, _candidates(connection, steps))
    if new:
        _add_test(connection, test)
        add(connection, loadtest_steps, [step_row(step, step.registered_at) for step in new])
        _derive(connection, {step.test_id for step in new})
    return given


def save(connection: Connection, fence: int, steps: Sequence[Step], at: datetime) -> None:
    check(connection, fence)
    over = _over(connection, [step.id for step in steps])
    going = [{"this": step.id, **progress_row(step, at)} for step in steps if step.id not in over]
    logs = [
        {
            "this": step.id,
            "logs": step.logs,
            "logs_detail": said(step.logs_detail),
            "is_watched": step.logs in WATCHED,
            "updated_at": at,
        }
        for step in steps
        if step.id in over
    ]
    for rows in (going, logs):
        if rows:
            connection.execute(update(loadtest_steps).where(THIS_STEP), rows)
    _derive(connection, {step.test_id for step in steps if step.id not in over})


def of_tests(connection: Connection, test_ids: Collection[str]) -> Sequence[Step]:
    found = _read(connection, (STEP.test_id.in_(some) for some in batches(sorted(test_ids))))
    return sorted(found, key=lambda step: (step.test_id, in_order(step)))


def _candidates(connection: Connection, steps: Sequence[Step]) -> Sequence[Step]:
    """Find the steps that may be the same as some of these; each only once."""
    found = _read(connection, _likenesses(steps))
    return list({step.id: step for step in found}.values())


def _likenesses(steps: Sequence[Step]) -> Iterator[ColumnElement[bool]]:
    for some in batches([step.id for step in steps]):
        yield STEP.id.in_(some)
    for some in batches([step.uid for step in steps if step.uid]):
        yield STEP.uid.in_(some)
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for step in steps:
        places[step.cluster, step.namespace].append(step.test_run)
    for (cluster, namespace), names in places.items():
        at_place = (STEP.cluster == cluster) & (STEP.namespace == namespace) & ~STEP.is_over
        for some in batches(names):
            yield at_place & STEP.test_run.in_(some)


def _read(connection: Connection, conditions: Iterable[ColumnElement[bool]]) -> list[Step]:
    return [
        read_step(row)
        for condition in conditions
        for row in connection.execute(select(loadtest_steps).where(condition))
    ]


def _add_test(connection: Connection, test: LoadTest) -> None:
    query = select(loadtests.c.id).where(loadtests.c.id == test.id)
    if connection.scalar(query) is None:
        add(connection, loadtests, [test_row(test)])


def _over(connection: Connection, ids: Sequence[str]) -> set[str]:
    return {
        step_id
        for some in batches(ids)
        for step_id in connection.scalars(select(STEP.id).where(STEP.id.in_(some), STEP.is_over))
    }


def _derive(connection: Connection, test_ids: Collection[str]) -> None:
    """Derive tests from all of their steps as they are now."""
    by_test: dict[str, list[Step]] = defaultdict(list)
    for step in of_tests(connection, test_ids):
        by_test[step.test_id].append(step)
    tests = [
        read_test(row)
        for some in batches(sorted(by_test))
        for row in connection.execute(select(loadtests).where(loadtests.c.id.in_(some)))
    ]
    now = [(test, derived(test, by_test[test.id])) for test in tests]
    changed = [{"this": new.id, **derived_row(new)} for old, new in now if new != old]
    if changed:
        connection.execute(update(loadtests).where(THIS_TEST), changed)
