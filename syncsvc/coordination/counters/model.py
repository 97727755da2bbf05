"""A counter is a number that everybody of a run adds to; a signal counts how often it came."""

from dataclasses import dataclass
from enum import StrEnum

from syncsvc.errors import Rejected

SMALLEST, LARGEST = -(2**63), 2**63 - 1


class Kind(StrEnum):
    """Counters and signals of one name are different things."""

    COUNTER = "counter"
    SIGNAL = "signal"


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted: a counter or a signal of a run."""

    run: str
    kind: Kind
    name: str


def full(value: int, delta: int) -> Rejected:
    """Say that a counter cannot count so far."""
    return Rejected(
        f"delta: expected a sum from {SMALLEST} to {LARGEST}, found {value} and {delta} to add"
    )
