"""How each thing of a run asks: an answer becomes a value, and a long wait several short ones."""

import secrets
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from syncsvc.client.calls import Question, Wait
from syncsvc.client.session import Session
from syncsvc.client.tempo import Seconds, seconds
from syncsvc.errors import Rejected

Answer = TypeVar("Answer", bound=msgspec.Struct)

LONGEST_CALL = 60.0  # seconds; a wait that lasts longer is asked for again
AT_ONCE = Wait("wait_seconds", 0.0)


class Done(msgspec.Struct, frozen=True):
    """An answer of which nothing is needed."""


class Speaker:
    """Whatever speaks over a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def _ask(
        self, shape: type[Answer], command: str, wait: Wait | None = None, **content: Any
    ) -> Answer:
        """Ask with what is given; None is what is not."""
        given = {field: value for field, value in content.items() if value is not None}
        raw = await self._session.call(Question(command, given, wait))
        return msgspec.json.decode(raw, type=shape)

    def _turns(self, field: str, timeout: Seconds | None) -> Iterator[Wait]:
        """Give the waits that make up one long one, the last when the time is up; None: no end."""
        clock = self._session.tempo.clock
        end = None if timeout is None else clock() + seconds(field, timeout)
        while True:
            left = LONGEST_CALL if end is None else max(end - clock(), 0.0)
            yield Wait("wait_seconds", min(left, LONGEST_CALL))
            if end is not None and clock() >= end:
                return


class Part(Speaker):
    """Something of a run that has a name."""

    def __init__(self, session: Session, name: str) -> None:
        super().__init__(session)
        self.name = name

    async def _ask(
        self, shape: type[Answer], command: str, wait: Wait | None = None, **content: Any
    ) -> Answer:
        return await super()._ask(shape, command, wait, name=self.name, **content)


def new_request() -> str:
    """Name a request, so that asking again is known for what it is."""
    return secrets.token_hex(12)


def as_json(field: str, value: Any) -> msgspec.Raw:
    """Write a value as JSON. Raises Rejected when it is none."""
    try:
        return msgspec.Raw(msgspec.json.encode(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise Rejected(f"{field}: expected a value that JSON has, found: {error}") from error
