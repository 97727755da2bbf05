"""What was measured, beside the ceiling of the same run, and whether it meets its goal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Goal:
    """At most, or at least, this; of the product's figure or of its ratio to the ceiling."""

    limit: float
    of: str = "product"  # or "ratio"
    at_least: bool = False

    def is_met(self, figure: "Figure") -> bool:
        found = figure.ratio if self.of == "ratio" else figure.product
        if found is None:
            return False
        return found >= self.limit if self.at_least else found <= self.limit

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return f"{'x ' if self.of == 'ratio' else ''}{sign} {self.limit:g}"


@dataclass(frozen=True)
class Figure:
    """One figure: the ceiling's and ours, and what ours is made of."""

    part: str
    case: str
    unit: str
    ceiling: float | None
    product: float | None
    made_of: str = ""
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        if not self.ceiling or self.product is None:
            return None
        return self.product / self.ceiling

    @property
    def verdict(self) -> str:
        if self.goal is None or self.product is None:
            return ""
        return f"{self.goal} {'met' if self.goal.is_met(self) else 'NOT MET'}"


def cpu_figure(
    part: str, case: str, unit: str, found: Mapping[str, float], goal: Goal | None = None
) -> Figure:
    """Give the CPU of the ceiling, and ours: the gateway and what keeps its state, in sum."""
    ours = {name: found[f"{name} us"] for name in ("gateway", "Valkey") if f"{name} us" in found}
    return Figure(
        part,
        case,
        unit,
        found.get("ceiling us"),
        sum(ours.values()) if ours else None,
        made_of=" + ".join(f"{name} {spent:.1f}" for name, spent in ours.items()),
        goal=goal,
    )


def plain_figure(
    part: str, case: str, unit: str, found: Mapping[str, float], goal: Goal | None = None
) -> Figure:
    """Give a figure of which both sides have one, named by the first word of its unit."""
    what = unit.split(maxsplit=1)[0]
    both = found.get(f"ceiling {what}"), found.get(f"product {what}")
    return Figure(part, case, unit, *both, goal=goal)


def medians(samples: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: median(values) for name, values in samples.items()}


def header() -> str:
    columns = f"{'ceiling':>9} {'product':>9} {'ratio':>6}  {'goal':20} product is made of"
    return f"{'':26} {'':32} {columns}"


def line(figure: Figure) -> str:
    case = f"{figure.case}, {figure.unit}"
    return (
        f"{figure.part:26} {case:32} {_number(figure.ceiling):>9} {_number(figure.product):>9} "
        f"{_ratio(figure.ratio):>6}  {figure.verdict:20} {figure.made_of}"
    ).rstrip()


def as_json(figure: Figure) -> dict[str, Any]:
    met = None if figure.goal is None else figure.goal.is_met(figure)
    return {**asdict(figure), "ratio": figure.ratio, "met": met}


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
