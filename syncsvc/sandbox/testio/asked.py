"""What a call's query asks for; nonsense is refused by the name of its parameter."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from syncsvc.sandbox.replies import Refusal

FEW = 25  # tests of a page
MANY = 100  # tests of a page, whatever is asked for: an assumption
UNPAGED = 150  # tests for whom names no page: the newest
EXPORTS = ("export_requested", "exported", "not_exported")
_DIGITS = 12


@dataclass(frozen=True)
class Asked:
    query: QueryParams

    @property
    def with_stories(self) -> bool:
        return "user_stories" in self.query.getlist("includes[]")

    def window(self) -> slice:
        """Say which part of a list is meant; `per_page` counts only beside `page`."""
        page = self.number("page")
        per_page = min(self.number("per_page") or FEW, MANY)
        if page is None:
            return slice(0, UNPAGED)
        return slice((page - 1) * per_page, page * per_page)

    def number(self, name: str) -> int | None:
        found = self.query.get(name)
        return None if found is None else _number(name, found)

    def each(self, name: str) -> list[int] | None:
        """Read a parameter that may stand several times."""
        found = self.query.getlist(name)
        return [_number(name, text) for text in found] if found else None

    def listed(self, name: str) -> list[int] | None:
        """Read a list that is parted by commas."""
        found = self.query.get(name)
        return None if found is None else [_number(name, text) for text in found.split(",")]

    def word(self, name: str, words: tuple[str, ...]) -> str | None:
        found = self.query.get(name)
        if found is not None and found not in words:
            raise Refusal(422, f"{name}: found {found[:80]}, expected {', '.join(words)}", name)
        return found


def identifier(found: Mapping[str, str], name: str) -> int:
    """Read an id from a path; what is no number names nothing."""
    text = found[name]
    if not _is_number(text):
        raise Refusal(404, f"{name} {text[:80]} was not found")
    return int(text)


def _number(name: str, found: str) -> int:
    if not _is_number(found) or int(found) < 1:
        shown = found[:80] or "nothing"
        raise Refusal(422, f"{name}: found {shown}, expected a number from 1", name)
    return int(found)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS
