"""Reads the end-of-test summary that k6 prints, in the way of 0.4x and in that of 1.x and 2.x.

The old one marks a metric whose thresholds were kept or crossed, and calls a rate's two numbers
by the same marks. The new one has blocks, names each threshold, and counts `24 out of 24`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from syncsvc.loadtests.summary_rows import (
    ALL,
    PLAIN,
    RATE,
    Row,
    measured,
    parted_name,
    stat_of,
)

_HEADING = re.compile(r"(\s*)█ (.+?)\s*")
_METRIC = re.compile(r"\s*(?:([✓✗]) )?\s*(\{.*?\}|[A-Za-z_][^\s:.{]*)\.{3,}: (.*)")
_THRESHOLD = re.compile(r"\s+([✓✗]) '(.+?)'(?: (.*))?")
_NAME = re.compile(r"\s{4,}([A-Za-z_]\w*(?:\{.*\})?|\{.*\})\s*")
_CHECK = re.compile(r"\s{4,}([✓✗]) (.+?)\s*")
_SHARE = re.compile(r"\s*↳\s+\S+ — ✓ (\d+) / ✗ (\d+)\s*")
_STAT = re.compile(r"([a-z]+(?:\([\d.]+\))?)=(\S+)")
_OLD_RATE = re.compile(r"(\S+%)\s+✓ (\d+)\s+✗ (\d+)\s*")
_NEW_RATE = re.compile(r"(\S+%)\s+(\d+) out of (\d+)\s*")
_TWO = re.compile(r"(\S+(?: [kMGTP]?B)?)\s+(\S+(?: [kMGTP]?B)?/s)\s*")

LONGEST = 2_000  # characters of a line
THRESHOLDS, RESULTS = "THRESHOLDS", "TOTAL RESULTS"
RENAMED = {"checks_succeeded": "checks"}  # so that runs of any k6 can be compared
LEFT_OUT = ("checks_failed",)  # the same again


@dataclass(slots=True)
class _Place:
    """Where in a summary a reader is."""

    block: str = ""
    metric: str = ""
    check: str = ""
    groups: tuple[tuple[int, str], ...] = ()

    @property
    def group(self) -> str:
        return "".join(f"::{name}" for _, name in self.groups)


def rows(lines: Sequence[str]) -> list[Row]:
    """Read the last summary among clean lines; a line of it that comes again replaces itself."""
    found: dict[tuple[str, ...], Row] = {}
    place = _Place()
    lines = [line for line in lines if len(line) <= LONGEST]
    for line in lines[_start(lines) :]:
        for row in _read(place, line):
            found[row.metric, row.scope, row.stat, row.threshold or ""] = row
    is_summary = any(row.metric != "check" for row in found.values())
    return list(found.values()) if is_summary else []


def _start(lines: Sequence[str]) -> int:
    """Find where the last summary begins; the old kind has no heading to tell that."""
    headings = [(number, found[2]) for number, found in _headings(lines)]
    places = [number for number, name in headings if name in (THRESHOLDS, RESULTS)]
    if not places:
        return 0
    names = dict(headings)
    last = places[-1]
    before = places[-2] if len(places) > 1 else last
    pairs = names[last] == RESULTS and names[before] == THRESHOLDS
    return before if pairs else last


def _headings(lines: Sequence[str]) -> Iterator[tuple[int, re.Match[str]]]:
    for number, line in enumerate(lines):
        found = _HEADING.fullmatch(line)
        if found is not None:
            yield number, found


def _read(place: _Place, line: str) -> list[Row]:
    heading = _HEADING.fullmatch(line)
    if heading is not None:
        _enter(place, len(heading[1]), heading[2])
        return []
    if place.block == THRESHOLDS:
        return _threshold(place, line)
    metric = _METRIC.fullmatch(line)
    if metric is not None:
        return _metric(place, metric)
    return _check(place, line)


def _enter(place: _Place, depth: int, name: str) -> None:
    if name in (THRESHOLDS, RESULTS):
        place.block, place.groups = name, ()
        return
    place.block = name if place.block else ""
    outer = tuple(group for group in place.groups if group[0] < depth)
    place.groups = (*outer, (depth, re.sub(r"^(?:GROUP|SCENARIO): ", "", name)))


def _threshold(place: _Place, line: str) -> list[Row]:
    name = _NAME.fullmatch(line)
    if name is not None:
        place.metric = _full(place, name[1])
    found = _THRESHOLD.fullmatch(line)
    if found is None or not place.metric:
        return []
    metric, scope = parted_name(place.metric)
    value, unit = measured((found[3] or "").rpartition("=")[2]) or (None, PLAIN)
    stat = stat_of(found[2])
    return [Row(metric, stat, value, unit, scope, found[2], ok=found[1] == "✓")]


def _metric(place: _Place, found: re.Match[str]) -> list[Row]:
    mark, name, said = found.groups()
    if not place.block:
        place.groups = ()  # the old kind's metrics are of all groups, and come after them
    metric, scope = parted_name(_full(place, name))
    place.metric = metric
    if metric in LEFT_OUT:
        return []
    metric = RENAMED.get(metric, metric)
    scope = place.group + scope
    read = [Row(metric, stat, value, unit, scope) for stat, value, unit in _stats(said)]
    if mark is not None and read:
        read.append(Row(metric, "thresholds", None, PLAIN, scope, ALL, ok=mark == "✓"))
    return read


def _full(place: _Place, name: str) -> str:
    """Put the metric before a selector that stands on a line of its own below it."""
    return parted_name(place.metric)[0] + name if name.startswith("{") else name


def _stats(said: str) -> Iterator[tuple[str, float, str]]:
    rate = _OLD_RATE.fullmatch(said) or _NEW_RATE.fullmatch(said)
    if rate is not None:
        yield from _rate(rate[1], int(rate[2]), int(rate[3]), is_total="out of" in said)
        return
    two = _TWO.fullmatch(said)
    if two is not None:
        yield from _named((("count", two[1]), ("rate", two[2])))
        return
    first, _, rest = said.partition(" ")
    if "=" not in first:
        yield from _named((("value", first),))
    yield from _named(_STAT.findall(said if "=" in first else rest))


def _rate(
    percent: str, passes: int, other: int, *, is_total: bool
) -> Iterator[tuple[str, float, str]]:
    """Give a rate by its counts, which are exact where its percentage is rounded."""
    total = other if is_total else passes + other
    rounded = measured(percent)
    value = passes / total if total else (rounded[0] if rounded else 0.0)
    yield "rate", value, RATE
    yield "passes", float(passes), PLAIN
    yield "fails", float(total - passes), PLAIN


def _named(pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, float, str]]:
    for stat, text in pairs:
        found = measured(text)
        if found is not None:
            yield stat, *found


def _check(place: _Place, line: str) -> list[Row]:
    share = _SHARE.fullmatch(line)
    if share is not None and place.check:
        passes, fails = int(share[1]), int(share[2])
        named = _rate("0%", passes, fails, is_total=False)
        return [
            Row("check", stat, value, unit, place.check, ok=False) for stat, value, unit in named
        ]
    found = _CHECK.fullmatch(line)
    if found is None:
        return []
    place.check = f"{place.group}::{found[2]}"
    passed = found[1] == "✓"
    return [Row("check", "rate", 1.0 if passed else None, RATE, place.check, ok=passed)]
