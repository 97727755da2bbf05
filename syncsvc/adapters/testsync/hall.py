"""All connections of this gateway, and what they share."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from syncsvc.adapters.testsync.attendance import Attendance
from syncsvc.adapters.testsync.ports import Rooms
from syncsvc.adapters.testsync.waits import NamedWait, PlainWait, Releases
from syncsvc.adapters.testsync.wire import Decoder
from syncsvc.coordination.connections.service import Tally

SLICES = 40  # parts of all connections that are swept in turn


class Member(Protocol):
    """A connection, as far as the others know it."""

    run: str
    worker: str | None
    session: str
    tally: Tally
    extended: bool
    waits: set[PlainWait | NamedWait]

    def is_alive(self) -> bool:
        """Ping the peer, and tell whether it was heard in the last rounds."""
        ...

    def said_farewell(self) -> bool:
        """Tell whether the peer closed the connection properly."""
        ...

    def send(self, payload: bytes) -> None: ...

    def close(self, code: int, reason: str) -> None: ...

    def drop(self) -> None: ...


class Hall:
    """Where connections come and go."""

    def __init__(self, rooms: Rooms, *, strict: bool) -> None:
        self.rooms = rooms
        self.strict = strict
        self.decoder = Decoder()
        self.releases = Releases()
        self.attendance = Attendance(rooms.presence)
        self.closing = False
        self.empty = asyncio.Event()
        self.empty.set()
        self._slices: list[dict[str, Member]] = [{} for _ in range(SLICES)]
        self._slice_of: dict[str, dict[str, Member]] = {}
        self._entered = 0
        self._swept = 0
        self._stories: set[asyncio.Task[None]] = set()

    def enter(self, member: Member) -> None:
        """Take in a connection and give it its session and its tally."""
        self._entered += 1
        session = member.session = f"{self.rooms.gateway_id}-{self._entered}"
        place = self._slice_of[session] = self._slices[self._entered % SLICES]
        place[session] = member
        self.empty.clear()
        member.tally = self.rooms.connections.enter(member.run)
        if member.worker is not None:
            self.attendance.enter(member.run, member.worker)

    def leave(self, member: Member) -> None:
        """Let a connection go; what waits for it elsewhere is told, unless we go ourselves."""
        del self._slice_of.pop(member.session)[member.session]
        self.rooms.connections.leave(member.tally)
        if member.worker is not None:
            farewell = member.said_farewell() and not self.closing
            self.attendance.leave(member.run, member.worker, farewell=farewell)
        waits, member.waits = member.waits, set()
        if not self.closing:  # else its agent resumes the wait at another gateway
            for wait in waits:
                self.rooms.meetings.gone(wait.arrival)
        if not self._slice_of:
            self.empty.set()

    def own(self, story: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Begin a story that may outlive its connection."""
        task = asyncio.create_task(story)
        self._stories.add(task)
        task.add_done_callback(self._stories.discard)
        return task

    def sweep(self) -> None:
        """Ping the next slice of all connections, and drop those whose peers are gone."""
        self._swept = (self._swept + 1) % SLICES
        for member in list(self._slices[self._swept].values()):
            if not member.is_alive():
                member.drop()

    def members(self) -> list[Member]:
        return [member for place in self._slices for member in place.values()]

    async def stories_told(self, within: float) -> None:
        """Return once every story has come to its end; in so many seconds, if need be by force."""
        if self._stories:
            _, untold = await asyncio.wait(self._stories, timeout=within)
            for story in untold:
                story.cancel()
