"""Which calls go wrong, and how: switches that anybody may set while a sandbox runs.

Rules are tried in their order and the first that strikes decides. Chance comes from a seed, so
the same calls meet the same faults again.

A rate is the share of the calls that come as far as its rule. Of n rules that together strike a
share of p, in equal parts, the k-th (from 1) has the rate p / (n - (k - 1) p): for a fifth of all
calls and three kinds 1/15, 1/14 and 1/13.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0, le=3600)]


class Rule(Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """What all kinds share: which calls are meant and which of these are struck."""

    method: str | None = None
    path: str | None = None  # how it begins
    pattern: str | None = None  # a regular expression found anywhere in it
    query: str | None = None  # a regular expression found anywhere in the query string
    every: Annotated[int, Meta(ge=1)] = 1  # 3: the third matching call, the sixth, ...
    rate: Annotated[float, Meta(ge=0, le=1)] | None = None  # share of matching calls, by chance
    times: Annotated[int, Meta(ge=1)] | None = None  # calls struck before the rule rests

    def means(self, method: str, path: str, query: str = "") -> bool:
        if self.method is not None and self.method.upper() != method:
            return False
        if not path.startswith(self.path or "") or not re.search(self.query or "", query):
            return False
        return bool(re.search(self.pattern or "", path))


class Status(Rule, frozen=True, kw_only=True, tag="status"):
    """The call is answered with this status and not carried out."""

    code: Annotated[int, Meta(ge=400, le=599)]
    retry_after: Annotated[int, Meta(ge=0, le=86_400)] | None = None  # seconds


class Reset(Rule, frozen=True, kw_only=True, tag="reset"):
    """The connection is torn down (TCP RST) before the call is carried out."""


class Hang(Rule, frozen=True, kw_only=True, tag="hang"):
    """The call is not carried out; after the time the connection ends without an answer."""

    seconds: Seconds = 60.0


class TimeoutAfterStore(Rule, frozen=True, kw_only=True, tag="timeout_after_store"):
    """The call is carried out; its answer is withheld as if lost on the way."""

    seconds: Seconds = 60.0


AnyRule = Status | Reset | Hang | TimeoutAfterStore


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All switches together."""

    latency: Annotated[float, Meta(ge=0, le=60)] = 0.0  # seconds before every call
    rules: Annotated[Sequence[AnyRule], Meta(max_length=100)] = ()
    seed: int = 0


def is_pattern(text: str | None) -> bool:
    try:
        re.compile(text or "")
    except re.error:
        return False
    return True


@dataclass
class Counted:
    """A rule with what became of it."""

    rule: AnyRule
    seen: int = 0
    hits: int = 0


@dataclass
class Switchboard:
    """Holds the plan that is in force and decides about each call."""

    plan: Plan = field(default_factory=Plan)
    counted: list[Counted] = field(default_factory=list)
    _chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  faults

    def put(self, plan: Plan) -> None:
        """Put a plan in force; all counts begin anew."""
        self.plan = plan
        self.counted = [Counted(rule) for rule in plan.rules]
        self._chance = random.Random(plan.seed)  # noqa: S311  it decides about faults only

    def strike(self, method: str, path: str, query: str = "") -> AnyRule | None:
        """Return the rule that this call meets, if any."""
        for each in self.counted:
            if each.rule.means(method, path, query) and self._falls(each):
                each.hits += 1
                return each.rule
        return None

    def _falls(self, counted: Counted) -> bool:
        rule = counted.rule
        counted.seen += 1
        if rule.times is not None and counted.hits >= rule.times:
            return False
        if rule.rate is not None and self._chance.random() >= rule.rate:
            return False
        return counted.seen % rule.every == 0
