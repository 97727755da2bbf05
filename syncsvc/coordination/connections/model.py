"""Each gateway counts its own connections; a run has their sum.

A gateway says its counts as they stand, numbered, so saying them again or too late does no harm.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """What one source says of a run; `number` grows with each time that it says something."""

    source: str
    number: int
    live: int
    ever: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Of a run: connections that stand, and all that were ever made."""

    live: int
    ever: int


def total(counts: Iterable[Count]) -> Totals:
    counts = tuple(counts)
    return Totals(sum(each.live for each in counts), sum(each.ever for each in counts))
