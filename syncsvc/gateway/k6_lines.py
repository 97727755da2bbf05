"""Streams the logs of a step: as text, or each line as JSON; to their end, or on while it runs.

Nothing waits for the whole of them, and whoever greps long ones lets others be served in between.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from syncsvc.errors import SyncsvcError
from syncsvc.gateway.k6_reading import WhichText
from syncsvc.gateway.k6_summary_views import LineView
from syncsvc.loadtests.following import Following
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.ports import KeptLog
from syncsvc.loadtests.showing import Showing, Told
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

PIECE = 32 * 1024  # bytes that are sent together
OTHERS_WAIT = 0.02  # seconds of grepping, at most, until others are served

Pause = Callable[[float], Awaitable[None]]


class _StoppingError(Exception):
    """Our gateway stops."""


@dataclass(frozen=True)
class Lines:
    """Reads logs for people. `follow` begins to follow for one of them, no longer than `longest`.

    An error that comes when lines were sent already is the last line.
    """

    showing: Showing
    follow: Callable[[Pause], Following]
    clock: Callable[[], datetime]
    longest: timedelta
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def stop(self) -> None:
        """Let everybody who follows come to an end."""
        self._stopping.set()

    async def pieces(
        self, step: Step, logs: Sequence[KeptLog], which: WhichText
    ) -> AsyncIterator[bytes]:
        """Give what is asked for, in pieces; what is followed comes line by line."""
        spell = _json(which) if which.as_json else _text(which, many=_are_many(logs, which))
        piece = bytearray()
        try:
            async for told in self._lines(step, logs, which):
                piece += spell(told)
                if which.follow or len(piece) >= PIECE:
                    yield bytes(piece)
                    piece.clear()
        except SyncsvcError as error:
            log.warning("a log ended early", step=step.id, reason=str(error))
            piece += _ended(str(error), as_json=which.as_json)
        yield bytes(piece)

    async def _lines(
        self, step: Step, logs: Sequence[KeptLog], which: WhichText
    ) -> AsyncIterator[Told]:
        source = self._followed(step, which) if which.follow else self._kept(logs, which)
        since = time.perf_counter()
        async for told in source:
            if time.perf_counter() - since > OTHERS_WAIT:
                await asyncio.sleep(0)
                since = time.perf_counter()
            if which.grep is None or told.is_cut or which.grep.is_in(told.line.text):
                yield told

    async def _kept(self, logs: Sequence[KeptLog], which: WhichText) -> AsyncIterator[Told]:
        for each in logs:
            async for told in self.showing.lines(each, which.lines):
                yield told

    async def _followed(self, step: Step, which: WhichText) -> AsyncIterator[Told]:
        until = self.clock() + self.longest
        with suppress(_StoppingError):
            async for told in self.follow(self._pause).lines(step, which.logs, which.lines, until):
                yield told

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise _StoppingError


def _are_many(logs: Sequence[KeptLog], which: WhichText) -> bool:
    return not which.is_of_one if which.follow else len(logs) > 1


def _text(which: WhichText, *, many: bool) -> Callable[[Told], bytes]:
    def spell(told: Told) -> bytes:
        line = told.raw if which.raw else told.line.text.encode() + b"\n"
        if not many:
            return line
        return f"{told.source.pod}/{told.source.container} ".encode() + line.rstrip(b"\n") + b"\n"

    return spell


def _json(which: WhichText) -> Callable[[Told], bytes]:
    return lambda told: msgspec.json.encode(LineView.of(told, raw=which.raw)) + b"\n"


def _ended(error: str, *, as_json: bool) -> bytes:
    if as_json:
        return msgspec.json.encode({"error": {"message": error}}) + b"\n"
    return f"--- syncsvc cannot go on here: {error} ---\n".encode()
