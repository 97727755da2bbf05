"""A lease is held for a while and renewed; the one rule is that its holder knows when it ends.

The holder counts from before it asked, on a clock of its own that nobody sets, and stops a
little early: so it never believes in a lease that the server has already given to another.
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from syncsvc.client.asking import Answer, Done, Part
from syncsvc.client.block import Block
from syncsvc.client.calls import Wait
from syncsvc.client.failures import LeaseLost, NotGranted, NotGrantedInTime
from syncsvc.client.session import Session
from syncsvc.client.terms import Grant, Terms, Wish
from syncsvc.errors import Conflict, Rejected, SyncsvcError, Unavailable

SAFETY = 0.02  # of the term: clocks of two machines do not run at the same speed
LONGEST_WAIT = 3600.0  # seconds of one question; asking again means queueing again
RENEWALS = 3  # per term
RETRIES = 10  # per term, while the server cannot be reached


class Lease(Part):
    """Held inside `async with`, and renewed until its end.

    `token` is the fencing token; `lost` is set at the moment the lease cannot be relied on any
    more. Leaving the block gives it back, and raises LeaseLost if it was lost meanwhile.
    """

    def __init__(self, session: Session, name: str, wish: Wish, terms: Terms) -> None:
        super().__init__(session, name)
        self.worker = session.worker
        self.token = 0
        self.lost = asyncio.Event()
        self._wish = wish
        self._terms = terms
        self._until = 0.0
        self._ended = False
        self._process = session.process
        self._keeper: asyncio.Task[None] | None = None
        self._block: Block | None = None

    @property
    def cancel_when_lost(self) -> bool:
        return self._terms.cancel_when_lost

    @property
    def held(self) -> bool:
        """True as long as the lease can be relied on, by the clock, at this very moment."""
        over = self._ended or self.lost.is_set() or self._is_of_a_parent
        return not over and self._left() > 0

    @property
    def _is_of_a_parent(self) -> bool:
        """True in a forked child: its parent holds the lease, and keeps it."""
        return self._process != self._session.process

    def check(self) -> int:
        """Give the fencing token. Raises LeaseLost."""
        if not self.held:
            raise self._loss()
        return self.token

    async def __aenter__(self) -> Self:
        if self._keeper is not None:
            raise Rejected(f"{self.name}: expected one block at a time for one object, found two")
        self._ended, self._process = False, self._session.process
        self.lost.clear()
        holders = self._session.holders
        self.worker = holders.take(self.subject, self._session.worker)
        try:
            await self._acquire()
        except BaseException:
            holders.give_back(self.subject, self.worker)
            raise
        self._block = Block() if self.cancel_when_lost else None
        self._start_keeping()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ended:
            return
        if self.held:
            await self._release_after(error)
            return
        told = self._block is not None and await self._block.was_left_for_us(error)
        await self._stop_keeping()
        self.lost.set()
        if error is None or told:
            raise self._loss() from error

    async def _release_after(self, error: BaseException | None) -> None:
        try:
            await self.release()
        except LeaseLost:
            if error is None:  # what went wrong inside says more
                raise

    async def release(self) -> None:
        """Give it back now; without an answer it ends by itself when its time is up.

        Raises LeaseLost when somebody else has it.
        """
        await self._stop_keeping()
        try:
            await self._end(self._wish.release)
        except Conflict as error:
            self.lost.set()
            raise self._loss() from error

    async def _end(self, command: str, **content: Any) -> None:
        with suppress(Unavailable, TimeoutError):  # then it ends by itself
            async with asyncio.timeout(max(self._left(), 0.0)):
                await self._say(Done, command, **content)
        self._ended = True
        self._session.holders.give_back(self.subject, self.worker)

    async def _acquire(self) -> None:
        clock, begun = self._session.tempo.clock, self._session.tempo.clock()
        while True:
            asked = clock()
            left = max(begun + self._terms.wait - asked, 0.0)
            wait = Wait("wait_seconds", min(left, LONGEST_WAIT))
            content = {**self._wish.content, "ttl_seconds": self._terms.ttl}
            grant = await self._ask(
                Grant,
                f"{self._wish.kind}.{self._wish.acquire}",
                wait,
                worker=self.worker,
                **content,
            )
            if await self._is_ours(grant, asked):
                return
            if clock() - begun >= self._terms.wait:
                raise self._denied(grant)

    async def _is_ours(self, grant: Grant, asked: float) -> bool:
        """Count from before the question; if that was long ago, ask once more to be sure."""
        if not grant.granted or grant.token is None:
            return False
        self.token = grant.token
        self._count_from(asked, grant)
        if self._left() > self._terms.ttl / 2:
            return True
        try:
            await self._renew()
        except Conflict:
            return False
        return self._left() > 0

    async def _keep(self) -> None:
        """Renew until it is cancelled, or lost."""
        pause = self._terms.ttl / RENEWALS
        while (left := self._left()) > 0:
            await asyncio.sleep(min(pause, left))
            try:
                async with asyncio.timeout(max(self._left(), 0.0)):
                    await self._renew()
                pause = self._terms.ttl / RENEWALS
            except (Unavailable, TimeoutError):
                pause = self._terms.ttl / RETRIES
            except SyncsvcError:
                break
        self._lose()

    async def _renew(self) -> None:
        asked = self._session.tempo.clock()
        self._count_from(
            asked, await self._say(Grant, self._wish.renew, ttl_seconds=self._terms.ttl)
        )

    async def _say(self, shape: type[Answer], command: str, **content: Any) -> Answer:
        return await self._ask(
            shape, f"{self._wish.kind}.{command}", worker=self.worker, token=self.token, **content
        )

    def _count_from(self, asked: float, grant: Grant) -> None:
        term = self._terms.ttl
        if grant.expires_in_seconds is not None:
            term = min(term, grant.expires_in_seconds)
        self._until = asked + term * (1 - SAFETY)

    def _left(self) -> float:
        return self._until - self._session.tempo.clock()

    def _lose(self) -> None:
        self.lost.set()
        if self._block is not None:
            self._block.end()
        if self._terms.on_lost is not None:
            self._terms.on_lost()

    def _start_keeping(self) -> None:
        self._keeper = asyncio.create_task(self._keep())

    async def _stop_keeping(self) -> None:
        """Raises what `on_lost` raised."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None and not self._is_of_a_parent:
            keeper.cancel()
            await asyncio.wait([keeper])
            if not keeper.cancelled():
                keeper.result()

    @property
    def subject(self) -> str:
        """The lease's kind and name, as a fence names it."""
        return f"{self._wish.kind}/{self.name}"

    def _loss(self) -> LeaseLost:
        return LeaseLost(
            f"{self.name}: the lease with token {self.token} was lost: somebody else may hold it"
        )

    def _denied(self, grant: Grant) -> NotGranted:
        by = ", ".join(holder.worker for holder in grant.holders) or "others who wait"
        if self._terms.wait == 0:
            return NotGranted(f"{self.name}: held by {by}")
        return NotGrantedInTime(f"{self.name}: not granted in {self._terms.wait:g} s; held by {by}")
