"""Answers that are not what they should be: a field of one item, or a whole answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

JSON = "application/json"


class Kind(StrEnum):
    PRODUCT = "product"
    FEATURE = "feature"
    TEST = "test"


class Answer(StrEnum):
    HTML = "html"
    LIST = "list"
    TEXT = "text"
    NUMBER = "number"
    EMPTY = "empty"
    TRUNCATED = "truncated"


CONTENT: Mapping[Answer, tuple[bytes, str]] = {
    Answer.HTML: (b"<html><body><h1>Bad day</h1></body></html>", "text/html"),
    Answer.LIST: (b"[]", JSON),
    Answer.TEXT: (b'"text"', JSON),
    Answer.NUMBER: (b"17", JSON),
    Answer.EMPTY: (b"", JSON),
    Answer.TRUNCATED: (b'{"products":[{"id":20', JSON),
}


class WrongField(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field that has this value, or is missing if none is given."""

    kind: Kind
    id: int
    field: Annotated[str, Meta(min_length=1)]
    value: Any = UNSET


class WrongAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A path below the API's root that is answered so, with status 200."""

    path: Annotated[str, Meta(pattern="^/")]
    answer: Answer
    times: Annotated[int, Meta(ge=1)] | None = None


class Malformed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    fields: Sequence[WrongField] = ()
    answers: Sequence[WrongAnswer] = ()


@dataclass
class Mischief:
    """What is malformed now; answers that have been given often enough are given no more."""

    wished: Malformed = field(default_factory=Malformed)
    _given: dict[int, int] = field(default_factory=dict)

    def spoil(self, kind: Kind, item: dict[str, Any]) -> dict[str, Any]:
        """Change what was told to be changed in this item."""
        for each in self.wished.fields:
            if (each.kind, each.id) == (kind, item.get("id")):
                _set(item, each)
        return item

    def answer(self, path: str) -> Response | None:
        for number, each in enumerate(self.wished.answers):
            given = self._given.get(number, 0)
            if each.path == path and (each.times is None or given < each.times):
                self._given[number] = given + 1
                content, media_type = CONTENT[each.answer]
                return Response(content, media_type=media_type)
        return None


def _set(item: dict[str, Any], wrong: WrongField) -> None:
    if isinstance(wrong.value, UnsetType):
        item.pop(wrong.field, None)
    else:
        item[wrong.field] = msgspec.to_builtins(wrong.value)
