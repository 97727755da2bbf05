"""Puts the summaries of two load tests side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from syncsvc.loadtests.merging import Merged
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.summary_rows import RATE

Key = tuple[str, str, str, str | None]


@dataclass(frozen=True, slots=True)
class Difference:
    """One number, or one threshold, of both; None where a summary has none."""

    metric: str
    scope: str
    stat: str
    threshold: str | None
    unit: str
    before: float | None
    after: float | None
    ok_before: bool | None = None
    ok_after: bool | None = None

    @property
    def change(self) -> float | None:
        """How much it has changed: in points for a rate (0.01 is one), else in parts of before."""
        if self.before is None or self.after is None:
            return None
        if self.unit == RATE:
            return self.after - self.before
        return (self.after - self.before) / abs(self.before) if self.before else None


@dataclass(frozen=True, slots=True)
class Compared:
    """A step of each, or of one only, and how they differ."""

    name: str
    before: Step | None
    after: Step | None
    differences: Sequence[Difference]


def paired(
    before: Sequence[Step], after: Sequence[Step]
) -> Sequence[tuple[Step | None, Step | None]]:
    """Pair steps by their names, and what is left by its order; none is left out."""
    left = list(after)
    pairs: list[tuple[Step | None, Step | None]] = []
    lonely: list[Step] = []
    for step in before:
        other = next((each for each in left if each.name == step.name), None)
        if other is None:
            lonely.append(step)
        else:
            left.remove(other)
            pairs.append((step, other))
    return [*pairs, *zip_longest(lonely, left)]


def differences(before: Sequence[Merged], after: Sequence[Merged]) -> Sequence[Difference]:
    """Compare row by row, in the order of the newer; what only the older has comes last."""
    old = {_key(each): each for each in before}
    new = {_key(each): each for each in after}
    keys = [*new, *(key for key in old if key not in new)]
    return [_difference(old.get(key), new.get(key)) for key in keys]


def _key(merged: Merged) -> Key:
    row = merged.row
    return row.metric, row.scope, row.stat, row.threshold


def _difference(before: Merged | None, after: Merged | None) -> Difference:
    one = (after or before).row  # type: ignore[union-attr]  # a key is from one of them
    return Difference(
        one.metric,
        one.scope,
        one.stat,
        one.threshold,
        one.unit,
        before.row.value if before else None,
        after.row.value if after else None,
        before.row.ok if before else None,
        after.row.ok if after else None,
    )
