"""What is recorded of load tests: lists for people, and what the watcher has to look at."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, case, exists, func, select

from syncsvc.errors import Unknown
from syncsvc.loadtests.model import LoadTest, Step
from syncsvc.loadtests.ports import Place, Pulse, Which
from syncsvc.loadtests.sql_rows import folded, read_step, read_test
from syncsvc.stores.sql.loadtest_tables import loadtest_steps, loadtests

TEST, STEP = loadtests.c, loadtest_steps.c
IN_TEST = STEP.test_id == TEST.id


def test(connection: Connection, test_id: str) -> LoadTest:
    row = connection.execute(select(loadtests).where(TEST.id == test_id)).first()
    if row is None:
        raise not_known("load test", test_id)
    return read_test(row)


def tests(connection: Connection, which: Which) -> Sequence[LoadTest]:
    query = select(loadtests).order_by(TEST.created_at.desc(), TEST.id.desc()).limit(which.limit)
    place = _at_place(which)
    if place:
        query = query.where(exists().where(IN_TEST, *place))
    if which.text is not None:
        of_steps = exists().where(IN_TEST, _has(STEP.found_by, which.text))
        query = query.where(_has(TEST.found_by, which.text) | of_steps)
    if which.named is not None:
        query = query.where(TEST.name == which.named)
    query = _older(connection, query, loadtests, TEST.created_at, which)
    return [read_test(row) for row in connection.execute(query)]


def step(connection: Connection, step_id: str) -> Step:
    row = connection.execute(select(loadtest_steps).where(STEP.id == step_id)).first()
    if row is None:
        raise not_known("step", step_id)
    return read_step(row)


def steps(connection: Connection, which: Which) -> Sequence[Step]:
    query = select(loadtest_steps).where(*_at_place(which)).limit(which.limit)
    query = query.order_by(STEP.registered_at.desc(), STEP.id.desc())
    if which.text is not None:
        query = query.where(_has(STEP.found_by, which.text))
    if which.named is not None:
        query = query.where(STEP.test_run == which.named)
    query = _older(connection, query, loadtest_steps, STEP.registered_at, which)
    return [read_step(row) for row in connection.execute(query)]


def places(connection: Connection) -> Sequence[Place]:
    query = select(STEP.cluster, STEP.namespace).where(STEP.is_watched).distinct()
    found = [Place(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda place: (place.cluster, place.namespace))


def pulses(connection: Connection) -> Sequence[Pulse]:
    query = (
        select(
            STEP.cluster,
            STEP.namespace,
            _number(~STEP.is_over),
            _number(~STEP.is_over & STEP.stale_since.is_not(None)),
            _number(~STEP.is_over & STEP.stalled.is_not(None)),
            _number(STEP.is_over),
        )
        .where(STEP.is_watched)
        .group_by(STEP.cluster, STEP.namespace)
    )
    found = [Pulse(Place(*row[:2]), *row[2:]) for row in connection.execute(query)]
    return sorted(found, key=lambda pulse: (pulse.place.cluster, pulse.place.namespace))


def under_way(connection: Connection, cluster: str, namespace: str) -> Sequence[Step]:
    query = (
        select(loadtest_steps)
        .where(STEP.cluster == cluster, STEP.namespace == namespace, STEP.is_watched)
        .order_by(STEP.registered_at, STEP.id)
    )
    return [read_step(row) for row in connection.execute(query)]


def not_known(what: str, its_id: str) -> Unknown:
    return Unknown(f"{what}: expected the id of one that is recorded, found {its_id[:80]!r}")


def _at_place(which: Which) -> list[ColumnElement[bool]]:
    asked = ((STEP.cluster, which.cluster), (STEP.namespace, which.namespace))
    return [column == wanted for column, wanted in asked if wanted is not None]


def _number(those: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((those, 1), else_=0))


def _has(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return column.contains(folded(text), autoescape=True)


def _older(
    connection: Connection,
    query: Select[Any],
    table: Table,
    since: ColumnElement[Any],
    which: Which,
) -> Select[Any]:
    """Leave out what has another status, and what is not older than the one that was named."""
    if which.status is not None:
        query = query.where(table.c.status == which.status)
    if which.before is None:
        return query
    row = connection.execute(select(since, table.c.id).where(table.c.id == which.before)).first()
    if row is None:
        raise not_known("before", which.before)
    moment, its_id = row
    return query.where((since < moment) | ((since == moment) & (table.c.id < its_id)))
