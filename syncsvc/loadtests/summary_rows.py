"""Rows of an end-of-test summary, and the numbers in them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

ALL = "all"  # a metric's thresholds together, where a summary does not tell them apart

MS = "ms"
BYTES = "bytes"
PER_SECOND = "1/s"
BYTES_PER_SECOND = "bytes/s"
RATE = "rate"  # 0..1
PLAIN = ""

_TIMES: Mapping[str, Decimal] = {
    "ns": Decimal("1e-6"),
    "µs": Decimal("1e-3"),
    "μs": Decimal("1e-3"),
    "us": Decimal("1e-3"),
    "ms": Decimal("1.0"),
    "s": Decimal("1e3"),
    "m": Decimal("60e3"),
    "h": Decimal("3600e3"),
}
_SIZES: Mapping[str, Decimal] = {
    "B": Decimal("1.0"),
    "kB": Decimal("1e3"),
    "MB": Decimal("1e6"),
    "GB": Decimal("1e9"),
    "TB": Decimal("1e12"),
    "PB": Decimal("1e15"),
}

_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_TIME = re.compile(rf"({_NUMBER})(ns|µs|μs|us|ms|s|m|h)")
_TIME_ALL = re.compile(rf"(?:{_NUMBER}(?:ns|µs|μs|us|ms|s|m|h))+")
_SIZE = re.compile(rf"({_NUMBER}) ?([kMGTP]?B)(/s)?")
_PER = re.compile(rf"({_NUMBER})/s")
_PERCENT = re.compile(rf"({_NUMBER})%")
_ONLY = re.compile(_NUMBER)


@dataclass(frozen=True, slots=True)
class Row:
    """One number of a summary, or one threshold.

    `scope` is what narrows a metric: a selector such as `{expected_response:true}`, a group, or a
    check's name. Rows of thresholds have an expression (or `all`) and say whether it was kept.
    Values are in ms, bytes, numbers, or 0..1 for a rate.
    """

    metric: str
    stat: str
    value: float | None
    unit: str = PLAIN
    scope: str = ""
    threshold: str | None = None
    ok: bool | None = None


def measured(text: str) -> tuple[float, str] | None:
    """Read a number as k6 writes it, with its unit; None: it is none."""
    text = text.strip()
    for pattern, reader in _READERS:
        found = pattern.fullmatch(text)
        if found is not None:
            return reader(found)
    return None


def _a_time(found: re.Match[str]) -> tuple[float, str]:
    """Add up a duration such as 1m2.5s; its sign is the first part's."""
    parts = _TIME.findall(found[0])
    total = float(sum(abs(Decimal(number)) * _TIMES[unit] for number, unit in parts))
    return (-total if found[0].startswith("-") else total), MS


def _a_size(found: re.Match[str]) -> tuple[float, str]:
    return float(Decimal(found[1]) * _SIZES[found[2]]), BYTES_PER_SECOND if found[3] else BYTES


_READERS = (
    (_ONLY, lambda found: (float(found[0]), PLAIN)),
    (_PERCENT, lambda found: (float(Decimal(found[1]) / 100), RATE)),
    (_TIME_ALL, _a_time),
    (_PER, lambda found: (float(found[1]), PER_SECOND)),
    (_SIZE, _a_size),
)


def parted_name(name: str) -> tuple[str, str]:
    """Part `http_reqs{status:200}` into the metric and what narrows it."""
    metric, brace, selector = name.partition("{")
    inner = selector.rstrip().removesuffix("}").strip()
    return metric.strip(), f"{{{inner}}}" if brace else ""


def stat_of(expression: str) -> str:
    """Say which stat a threshold is about: `p(95)` of `p(95)<500`."""
    return re.split(r"[<>=!]", expression, maxsplit=1)[0].strip()
