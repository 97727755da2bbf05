"""Reads summaries that a script printed as JSON: what handleSummary is given, or --summary-export.

They differ in their thresholds: in the former `ok: true` says that one was kept, in the latter a
bare `true` says that it was crossed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from syncsvc.loadtests.summary_rows import (
    BYTES,
    BYTES_PER_SECOND,
    MS,
    PER_SECOND,
    PLAIN,
    RATE,
    Row,
    parted_name,
    stat_of,
)

TRIES = 20  # objects to look into, the last ones first
UNITS = {"time": MS, "data": BYTES}


def rows(lines: Sequence[str]) -> list[Row]:
    """Read the last such object among clean lines."""
    starts = [number for number, line in enumerate(lines) if line.startswith("{")]
    for start in reversed(starts[-TRIES:]):
        metrics = _metrics(lines[start:])
        if metrics is not None:
            return [row for name, said in metrics.items() for row in _of_metric(name, said)]
    return []


def _metrics(lines: Sequence[str]) -> Mapping[str, Any] | None:
    try:
        found, _ = json.JSONDecoder().raw_decode("\n".join(lines))
    except (ValueError, RecursionError):
        return None
    metrics = found.get("metrics") if isinstance(found, dict) else None
    return metrics if isinstance(metrics, dict) and metrics else None


def _of_metric(name: str, said: object) -> Iterator[Row]:
    if not isinstance(said, dict):
        return
    metric, scope = parted_name(name)
    values = said.get("values")
    numbers = values if isinstance(values, dict) else _exported(said)
    rows = [
        Row(metric, stat, float(value), _unit(stat, metric, said, numbers), scope)
        for stat, value in numbers.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    yield from rows
    yield from _thresholds(Row(metric, "", None, PLAIN, scope), said, {r.stat: r for r in rows})


def _exported(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Call a rate what it is: in an export it is a `value` beside its counts."""
    is_rate = "passes" in said
    return {"rate" if is_rate and stat == "value" else stat: said[stat] for stat in said}


def _unit(stat: str, metric: str, said: Mapping[str, Any], numbers: Mapping[str, Any]) -> str:
    if stat in ("passes", "fails"):
        return PLAIN
    contains = UNITS.get(said.get("contains", ""), _guessed(metric, said))
    if stat != "rate":
        return contains
    if said.get("type") == "rate" or "passes" in numbers:
        return RATE
    return BYTES_PER_SECOND if contains == BYTES else PER_SECOND


def _guessed(metric: str, said: Mapping[str, Any]) -> str:
    """Tell the unit of k6's own metrics by their names: an export does not say it."""
    if "contains" in said:
        return PLAIN
    if metric in ("data_sent", "data_received"):
        return BYTES
    is_time = metric.startswith(("http_req_", "iteration_duration", "group_duration"))
    return MS if is_time and "avg" in said else PLAIN


def _thresholds(of: Row, said: Mapping[str, Any], rows: Mapping[str, Row]) -> Iterator[Row]:
    thresholds = said.get("thresholds")
    if not isinstance(thresholds, dict):
        return
    for expression, told in thresholds.items():
        ok = told.get("ok") is True if isinstance(told, dict) else told is False
        stat = stat_of(expression)
        known = rows.get(stat, of)
        yield replace(known, stat=stat, threshold=expression, ok=ok)
