"""The fields that many commands have, each with what it may be."""

from typing import Annotated

import msgspec
from msgspec import Meta

from syncsvc.coordination.names import LONGEST_NAME
from syncsvc.coordination.operations.operation import LONGEST_WAIT, Request
from syncsvc.errors import Rejected

LONGEST_LIFE = 7 * 24 * 3600.0  # seconds
EXACT = 2**53 - 1  # the largest whole number that every JSON reader keeps as it is

Seconds = Annotated[float, Meta(ge=0, le=LONGEST_WAIT, description="0: do not wait")]
Life = Annotated[float, Meta(gt=0, le=LONGEST_LIFE, description="seconds")]
RequestId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_NAME,
        description="a repeated call with the same id gets the same answer",
    ),
]
WorkerName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_NAME,
        description="who asks, when the connection does not say it",
    ),
]


class Asking(Request, frozen=True, kw_only=True):
    """A command that anybody may give; who asks need not be known."""

    worker: WorkerName | None = None


def json_text(field: str, raw: msgspec.Raw) -> str:
    """Give JSON as it was written.

    Raises Rejected when a reader could not read it: not in UTF-8, numbers or depth out of range.
    """
    text = bytes(raw)
    try:
        msgspec.json.decode(text)
        return text.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"{field}: expected JSON that can be read, found: {error}") from error
