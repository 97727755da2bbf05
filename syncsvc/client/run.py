"""A run, seen from one of its workers: everything that its workers share."""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self, Unpack

from syncsvc.client import presence
from syncsvc.client.address import Address, Credentials, default_worker
from syncsvc.client.asking import Speaker
from syncsvc.client.board import Board
from syncsvc.client.checkpoints import Checkpoint
from syncsvc.client.counting import Counter, Signal
from syncsvc.client.leaders import Leader
from syncsvc.client.link import Link
from syncsvc.client.locks import Asked, Lock, RwLock, Semaphore, terms
from syncsvc.client.presence import Presence, Present, Roll
from syncsvc.client.session import Session
from syncsvc.client.tempo import Seconds, Tempo, seconds
from syncsvc.client.test_data import TestData
from syncsvc.client.topics import Topic


class Run(Speaker):
    """Connected inside `async with`; it comes back by itself when the connection is lost."""

    def __init__(self, name: str, session: Session) -> None:
        super().__init__(session)
        self.name = name
        self.data = Board(session)
        self.test_data = TestData(session)

    @property
    def worker(self) -> str:
        """Who we are for the others."""
        return self._session.worker

    async def open(self) -> None:
        """Connect. Raises NotReachable, or Refused with what to set."""
        await self._session.open()

    async def close(self) -> None:
        await self._session.close()

    def begin_anew(self, worker: str) -> None:
        """Go on in a forked child, as a worker of its own."""
        self._session.begin_anew(worker)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def checkpoint(self, name: str) -> Checkpoint:
        return Checkpoint(self._session, name)

    def lock(
        self,
        name: str,
        **asked: Unpack[Asked],
    ) -> Lock:
        """Give a lock to hold inside `async with`, for which it waits at most `wait`."""
        return Lock(self._session, name, terms(asked))

    def rwlock(self, name: str) -> RwLock:
        return RwLock(self._session, name)

    def semaphore(
        self,
        name: str,
        *,
        limit: int,
        permits: int = 1,
        **asked: Unpack[Asked],
    ) -> Semaphore:
        """Give so many of a semaphore's permits to hold inside `async with`."""
        return Semaphore(self._session, name, terms(asked), limit=limit, permits=permits)

    def leader(self, name: str) -> Leader:
        return Leader(self._session, name)

    def counter(self, name: str) -> Counter:
        return Counter(self._session, name)

    def signal(self, name: str) -> Signal:
        return Signal(self._session, name)

    def topic(self, name: str) -> Topic:
        return Topic(self._session, name)

    def presence(self, about: Any = None, *, ttl: Seconds = presence.DEFAULT_TTL) -> Presence:
        """Give what makes this worker present inside `async with`."""
        return Presence(self._session, about, ttl)

    async def workers(self) -> tuple[Present, ...]:
        """Give who is present."""
        return await Roll(self._session).call()

    def watch_workers(self) -> AsyncIterator[tuple[Present, ...]]:
        """Give who is present, then again with each change, without an end."""
        return Roll(self._session).watch()


def connect(  # noqa: PLR0913 - all that one may say about a connection, by keyword
    server: str,
    *,
    run: str,
    worker: str | None = None,
    username: str = "",
    password: str = "",
    token: str = "",
    attend: bool = True,
    connect_within: Seconds = 10.0,
    reconnect_within: Seconds = 60.0,
) -> Run:
    """Give a run on a server such as ws://127.0.0.1:9105, to be entered with `async with`.

    `worker` names this process for the others; by default its host, its number and something
    random. It is present for them as long as it is connected, unless `attend` is False.
    Raises Rejected for an address or credentials that cannot be.
    """
    address = Address(server, run, Credentials(username, password, token), attend)
    tempo = Tempo(
        seconds("connect_within", connect_within), seconds("reconnect_within", reconnect_within)
    )

    async def open_link(worker: str) -> Link:
        from syncsvc.client import sockets  # noqa: PLC0415 - importing the client stays quick

        return await sockets.open_link(address, worker)

    return Run(run, Session(open_link, worker or default_worker(), tempo))
