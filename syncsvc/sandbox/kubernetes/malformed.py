"""Answers that are wrong on purpose: cut short, torn off, of another kind, or emptied."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.responses import Response


class Answer(StrEnum):
    TRUNCATED = "truncated"
    CUT = "cut"
    HTML = "html"
    EMPTY_LIST = "empty_list"


class Wrong(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pattern: str  # a regular expression found in the path below the cluster
    answer: Answer
    times: Annotated[int, Meta(ge=1)] | None = None


class Malformed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    answers: Annotated[Sequence[Wrong], Meta(max_length=100)] = ()


@dataclass
class Mischief:
    left: list[Wrong] = field(default_factory=list)

    def strike(self, path: str) -> Answer | None:
        """Say how an answer shall be wrong, if at all."""
        for number, each in enumerate(self.left):
            if re.search(each.pattern, path):
                self._count(number, each)
                return each.answer
        return None

    def _count(self, number: int, wrong: Wrong) -> None:
        if wrong.times == 1:
            del self.left[number]
        elif wrong.times is not None:
            self.left[number] = msgspec.structs.replace(wrong, times=wrong.times - 1)


def spoiled(answer: Answer, body: bytes) -> Response:
    """Answer wrongly though with success; a cut body is for whoever sends it to cut."""
    if answer is Answer.HTML:
        return Response("<html><body>502 Bad Gateway</body></html>", media_type="text/html")
    if answer is Answer.EMPTY_LIST:
        empty = {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}}
        return Response(msgspec.json.encode({**empty, "items": []}), media_type="application/json")
    return Response(body[: len(body) // 2], media_type="application/json")
