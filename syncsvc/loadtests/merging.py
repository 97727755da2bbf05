"""One summary out of those of all runners, and how each of its numbers was made.

Counts add up and rates are weighted, so these are exact. Percentiles of parts do not give that of
the whole: the worst of them is shown, and called so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from syncsvc.loadtests.summary_rows import RATE, Row

TOTALS = ("count", "passes", "fails")
COUNTED_BY = {"iteration_duration": "iterations"}  # which counter tells how many values a trend has
GAUGES_ADDED = ("vus", "vus_max")  # each runner has its own


class How(StrEnum):
    """How a merged number was made."""

    ONLY = "only"  # a single runner has it
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    WEIGHTED = "weighted"  # by the number of values of each runner
    MEAN = "mean of runners"  # that number is not known
    WORST = "max of runners"  # of percentiles
    ALL = "all runners"  # a threshold is kept when each runner keeps it


@dataclass(frozen=True, slots=True)
class Merged:
    """A row over runners; `crossed_by` are the runners that did not keep its threshold."""

    row: Row
    how: How
    runners: int
    crossed_by: Sequence[int] = ()


Key = tuple[str, str, str, str | None]
Summaries = Mapping[int, Sequence[Row]]


def merged(summaries: Summaries) -> list[Merged]:
    """Merge the rows of runners, by their numbers."""
    found: dict[Key, dict[int, Row]] = {}
    for runner, rows in summaries.items():
        for row in rows:
            found.setdefault(_key(row), {})[runner] = row
    return [_merged(rows, found) for rows in found.values()]


def _key(row: Row) -> Key:
    return row.metric, row.scope, row.stat, row.threshold


def _merged(rows: Mapping[int, Row], found: Mapping[Key, Mapping[int, Row]]) -> Merged:
    first = next(iter(rows.values()))
    crossed_by = [runner for runner, row in rows.items() if row.ok is False]
    told = [row.ok for row in rows.values() if row.ok is not None]
    row = replace(first, ok=all(told) if told else None)
    if row.threshold is not None:
        value = first.value if len(rows) == 1 else None
        return Merged(replace(row, value=value), How.ALL, len(rows), crossed_by)
    value, how = _value(rows, found)
    return Merged(replace(row, value=value), how, len(rows), crossed_by)


def _value(
    rows: Mapping[int, Row], found: Mapping[Key, Mapping[int, Row]]
) -> tuple[float | None, How]:
    first = next(iter(rows.values()))
    values = {runner: row.value for runner, row in rows.items() if row.value is not None}
    if len(rows) == 1 or not values:
        return first.value, How.ONLY
    if first.unit == RATE or first.stat == "avg":
        return _mean(values, _weights(first, found))
    how = _how(first)
    numbers = list(values.values())
    if how is How.SUM:
        return sum(numbers), how
    return (min(numbers) if how is How.MIN else max(numbers)), how


def _how(row: Row) -> How:
    if row.stat in (*TOTALS, "rate") or row.metric in GAUGES_ADDED:
        return How.SUM
    by_stat = {"min": How.MIN, "max": How.MAX, "value": How.MAX}
    return by_stat.get(row.stat, How.WORST)


def _weights(row: Row, found: Mapping[Key, Mapping[int, Row]]) -> Mapping[int, float]:
    """Give how many values each runner's number is made of, as far as that is known."""
    if row.unit == RATE:
        counts = [_values(found, row.metric, row.scope, stat) for stat in ("passes", "fails")]
        return {runner: counts[0][runner] + counts[1].get(runner, 0) for runner in counts[0]}
    counter = COUNTED_BY.get(row.metric)
    if row.metric.startswith("http_req_"):
        counter = "http_reqs"
    if counter is None:
        return _values(found, row.metric, row.scope, "count")
    return _values(found, counter, row.scope, "count")


def _values(
    found: Mapping[Key, Mapping[int, Row]], metric: str, scope: str, stat: str
) -> Mapping[int, float]:
    rows: Iterable[tuple[int, Row]] = found.get((metric, scope, stat, None), {}).items()
    return {runner: row.value for runner, row in rows if row.value is not None}


def _mean(values: Mapping[int, float], weights: Mapping[int, float]) -> tuple[float, How]:
    total = sum(weights.get(runner, 0) for runner in values)
    if weights.keys() >= values.keys() and total > 0:
        return sum(values[runner] * weights[runner] for runner in values) / total, How.WEIGHTED
    return sum(values.values()) / len(values), How.MEAN
