"""A session outlives its links: what was asked and not answered is asked again over the next one.

Calls run side by side. The first link is opened by `open`; a later one by whoever keeps the
session, as soon as one is lost, or by the next call after it had been given up.
"""

import asyncio
from itertools import count

from syncsvc.client import calls
from syncsvc.client.calls import Call, Question, Refusal
from syncsvc.client.failures import NotReachable, TimedOut
from syncsvc.client.holders import Holders
from syncsvc.client.link import Link, LinkLost, OpenLink
from syncsvc.client.tempo import Tempo
from syncsvc.errors import SyncsvcError, Unavailable

MARGIN = 10.0  # seconds that an answer may take beyond the wait that was asked for


class Session:
    """Who speaks for one worker."""

    def __init__(self, open_link: OpenLink, worker: str, tempo: Tempo) -> None:
        self.worker = worker
        self.tempo = tempo
        self.holders = Holders()
        self.process = 0  # grows with each fork: what the parent holds is not the child's
        self._open_link = open_link
        self._ids = count(1)
        self._calls: dict[int, Call] = {}
        self._link: Link | None = None
        self._outgoing: asyncio.Queue[bytes] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._parents: list[object] = []  # what a parent process had; to collect it is not ours

    async def open(self) -> None:
        """Connect for the first time. Raises NotReachable or Refused."""
        link = await self._reach(self.tempo.connect_within)
        self._keeper = asyncio.create_task(self._keep(link))

    async def close(self) -> None:
        """Say goodbye; calls still under way end as NotReachable."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])
        self._fail(NotReachable("this session was closed"))

    def begin_anew(self, worker: str) -> None:
        """Forget what a parent process had under way; the next call opens a link of our own."""
        if self._link is not None:
            self._link.abandon()
        self.worker = worker
        self.holders = Holders()
        self.process += 1
        self._parents.append((self._link, self._keeper, self._calls))
        self._link = self._outgoing = self._keeper = None
        self._calls = {}

    async def call(self, question: Question) -> bytes:
        """Ask, also across lost links, and give the answer's content.

        A wait goes on, as long as it may, while the server says that it cannot serve now.
        Raises what the server answers (Rejected, Unknown, Conflict, Unavailable), NotReachable,
        Refused, or TimedOut when no answer came.
        """
        since = self.tempo.clock()
        end = since + (question.wait.seconds if question.wait else 0.0)
        for delay in self.tempo.delays():
            try:
                return await self._call_once(question, since)
            except Unavailable as error:
                is_last = isinstance(error, NotReachable | TimedOut)
                if is_last or self.tempo.clock() + delay >= end:
                    raise
            await self.tempo.pause(delay)
        raise AssertionError("the delays do not end")

    async def _call_once(self, question: Question, since: float) -> bytes:
        answer = asyncio.get_running_loop().create_future()
        call = Call(next(self._ids), question, since, answer)
        self._calls[call.id] = call
        self._ensure_kept()
        self._post(*call.frames(self.tempo.clock()))
        try:
            return await self._answered(call)
        except (TimedOut, asyncio.CancelledError):
            self._give_up(call)
            raise

    async def _answered(self, call: Call) -> bytes:
        wait = call.question.wait
        patience = MARGIN + (
            wait.left(self.tempo.clock() - call.since) if wait else self.tempo.reconnect_within
        )
        await asyncio.wait([call.answer], timeout=patience)
        if not call.answer.done():
            raise TimedOut(f"{call.question.command}: no answer within {patience:g} s")
        return call.answer.result()

    def _give_up(self, call: Call) -> None:
        """Wait no longer; an answer without an id is still to come, and must not go to another."""
        call.abandon()
        if call.question.answer is None and self._calls.pop(call.id, None) is not None:
            self._post(calls.frame("cancel", call.id))

    def _ensure_kept(self) -> None:
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep(None))

    def _post(self, *messages: bytes) -> None:
        if self._outgoing is not None:
            for message in messages:
                self._outgoing.put_nowait(message)

    async def _keep(self, link: Link | None) -> None:
        try:
            while True:
                if link is None:
                    link = await self._reach(self.tempo.reconnect_within)
                lost = await self._talk(link)
                if not lost.at_once:
                    await self.tempo.pause(next(self.tempo.delays()))
                link = None
        except SyncsvcError as error:
            self._fail(error)

    async def _reach(self, within: float) -> Link:
        deadline = self.tempo.clock() + within
        for delay in self.tempo.delays():
            try:
                return await self._open_link(self.worker)
            except Unavailable as error:
                if self.tempo.clock() + delay >= deadline:
                    raise NotReachable(f"no server within {within:g} s: {error}") from error
            await self.tempo.pause(delay)
        raise AssertionError("the delays do not end")

    async def _talk(self, link: Link) -> LinkLost:
        """Give the reason why the link was lost, once it is."""
        self._link, self._outgoing = link, asyncio.Queue()
        self._calls = {id_: call for id_, call in self._calls.items() if not call.answer.done()}
        now = self.tempo.clock()
        for call in self._calls.values():
            self._post(*call.frames(now))
        sender = asyncio.create_task(_send_all(link, self._outgoing))
        try:
            while True:
                self._take(await link.receive())
        except LinkLost as lost:
            return lost
        finally:
            self._link = self._outgoing = None
            sender.cancel()
            await asyncio.wait([sender])
            await link.close()

    def _take(self, said: str | bytes) -> None:
        if isinstance(said, bytes):
            self._settle(self._next_for(calls.BINARY), said)
            return
        message = calls.read(said)
        if message.command == "reconnect":
            raise LinkLost("the server asked us to come back", at_once=True)
        refusal = calls.refusal(message)
        if message.id is not None:
            self._settle_by_id(message.id, refusal or bytes(message.content))
        else:
            call = self._next_for(refusal.command if refusal else message.command)
            self._settle(call, refusal or bytes(message.content))

    def _settle_by_id(self, call_id: int, said: bytes | Refusal) -> None:
        call = self._calls.get(call_id)
        if call is not None and call.question.answer is not None:
            call.settle(said)  # refused, and its answer without an id is still to come
        else:
            self._settle(call, said)

    def _next_for(self, answer: str | None) -> Call | None:
        """Find who waits longest for an answer that has no id."""
        answer = calls.BINARY if answer == "read_data" else answer
        waiting = (call for call in self._calls.values() if call.question.answer == answer)
        return next(waiting, None) if answer else None

    def _settle(self, call: Call | None, said: bytes | Refusal) -> None:
        if call is not None:  # else whoever asked has gone
            call.settle(said)
            self._calls.pop(call.id, None)

    def _fail(self, error: SyncsvcError) -> None:
        for call in self._calls.values():
            call.fail(error)
        self._calls = {}


async def _send_all(link: Link, outgoing: asyncio.Queue[bytes]) -> None:
    try:
        while True:
            await link.send(await outgoing.get())
    except LinkLost:
        return  # whoever receives learns of it too, and says why
