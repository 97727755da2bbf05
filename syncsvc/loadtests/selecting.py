"""Label selectors as kubectl takes them: `app=k6,team in (a, b),!draft`; `*` takes everything."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from syncsvc.errors import Rejected

Labels = Mapping[str, str]

EVERYTHING = "*"

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_PREFIX = r"(?=[^/]{1,253}/)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/"
_KEY = rf"(?:{_PREFIX})?{_NAME}"
_VALUE = rf"(?:{_NAME})?"
_EQUAL = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_VALUE})")
_IN = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_THERE = re.compile(rf"(!?)\s*({_KEY})")
_SPLIT = re.compile(r",(?![^()]*\))")


@dataclass(frozen=True, slots=True)
class Selector:
    """All of these must hold."""

    text: str
    holds: tuple[Callable[[Labels], bool], ...]

    def takes(self, labels: Labels) -> bool:
        return all(each(labels) for each in self.holds)


def selector(field: str, text: str) -> Selector:
    """Read one. Raises Rejected that names the field and the part that is none."""
    parts = [part.strip() for part in _SPLIT.split(text)] if text.strip() != EVERYTHING else []
    return Selector(text, tuple(_requirement(field, part) for part in parts))


def _requirement(field: str, part: str) -> Callable[[Labels], bool]:
    if found := _EQUAL.fullmatch(part):
        return _among(found[1], (found[3],), wanted=found[2] != "!=")
    if found := _IN.fullmatch(part):
        values = tuple(value.strip() for value in found[3].split(","))
        if all(re.fullmatch(_VALUE, value) for value in values):
            return _among(found[1], values, wanted=found[2] == "in")
    if found := _THERE.fullmatch(part):
        key, wanted = found[2], not found[1]
        return lambda labels: (key in labels) is wanted
    raise Rejected(
        f"{field}: expected a label selector such as app=k6,team!=demo, found {part[:80]!r}"
    )


def _among(key: str, values: tuple[str, ...], *, wanted: bool) -> Callable[[Labels], bool]:
    """A label that is not there is not among any values."""
    return lambda labels: (labels.get(key) in values) is wanted
