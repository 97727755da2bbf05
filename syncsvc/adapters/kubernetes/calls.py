"""One call to a cluster: limited in number, in time and in size, and repeated after a hiccup.

Calls only read, so they may be repeated. Reads of logs have a limit of their own: Kubernetes
itself does not protect its nodes from them.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from syncsvc.adapters.kubernetes.access import Access, Presented
from syncsvc.adapters.kubernetes.asking import Ask
from syncsvc.adapters.kubernetes.connecting import LARGEST_ANSWER, READ_SECONDS, Wire
from syncsvc.adapters.kubernetes.credentials import now
from syncsvc.adapters.kubernetes.failures import (
    Hiccup,
    denied,
    of_answer,
    of_failure,
    pause_asked_for,
)
from syncsvc.adapters.kubernetes.quick import QuickReads
from syncsvc.errors import Rejected, SyncsvcError, Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

TRIES = 3
BASE, CAP = 0.2, 5.0  # seconds at most before the second try, and before any
LARGEST_ERROR = 64 * 1024
NO_CONTENT = 204
JSON, TEXT = "application/json", "*/*"
COMPRESSED, PLAIN = "gzip", "identity"  # what streams would hold back to compress


@dataclass(frozen=True, slots=True)
class Manner:
    """How calls are made: so many at once, and an answer takes no longer than its limit.

    `patience` is the longest pause that is waited for when a server asks for one, and `idle` is
    how long a stream may be silent.
    """

    at_once: int = 8
    logs_at_once: int = 16
    limit: timedelta = timedelta(seconds=30)
    log_limit: timedelta = timedelta(seconds=60)
    list_limit: timedelta = timedelta(minutes=2)  # of all pages of all lists
    patience: timedelta = timedelta(seconds=5)
    idle: timedelta = timedelta(minutes=5)
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    clock: Callable[[], datetime] = now


@dataclass
class Spent:
    """How many requests something took."""

    calls: int = 0


class NoContent(Exception):
    """There is nothing to stream."""


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    body: bytes


@dataclass(frozen=True, slots=True)
class _Lane:
    """Where calls of a sort queue."""

    slots: asyncio.Semaphore
    limit: timedelta
    accept: str
    coding: str


@dataclass
class KubernetesCalls:
    """Reads from one cluster."""

    access: Access
    wire: Wire
    manner: Manner = field(default_factory=Manner)

    def __post_init__(self) -> None:
        manner = self.manner
        self._objects = _Lane(asyncio.Semaphore(manner.at_once), manner.limit, JSON, COMPRESSED)
        self._logs = _Lane(asyncio.Semaphore(manner.logs_at_once), manner.log_limit, TEXT, PLAIN)

    @property
    def place(self) -> str:
        return f"cluster {self.access.name!r}"

    async def get(self, ask: Ask, spent: Spent) -> Answer:
        """Give a success; raises what a Cluster raises, Gone, or a Refusal."""
        return await self._repeated(ask, self._objects, spent)

    async def get_log(self, ask: Ask, spent: Spent) -> Answer:
        return await self._repeated(ask, self._logs, spent)

    async def stream(self, ask: Ask) -> AsyncGenerator[bytes]:
        """Give a success as it comes, until the server ends it.

        Raises Unavailable if it breaks off, and NoContent when there is nothing to stream.
        """
        lane = self._logs
        with self._explained(ask):
            async with self._opened(ask, lane, Spent(), self.manner.idle) as answer:
                if not answer.is_success:
                    raise self._refusal(ask, answer, await _body(answer))
                if answer.status_code == NO_CONTENT:
                    raise NoContent
                async for piece in answer.aiter_bytes():
                    yield piece

    async def _repeated(self, ask: Ask, lane: _Lane, spent: Spent) -> Answer:
        for tried in range(1, TRIES + 1):
            try:
                return await self._attempt(ask, lane, spent)
            except Hiccup as error:
                wait = self._wait_after(error, tried)
                log.warning("a cluster is asked again", reason=str(error))
            await self.manner.pause(wait)
        raise AssertionError  # the last hiccup is raised

    async def _attempt(self, ask: Ask, lane: _Lane, spent: Spent) -> Answer:
        limit = lane.limit.total_seconds()
        async with lane.slots:
            try:
                async with asyncio.timeout(limit):
                    answer, body = await self._exchange(ask, lane, spent)
            except TimeoutError as error:
                raise Unavailable(
                    f"cluster {self.access.name!r} did not answer {ask} within {limit:g} s"
                ) from error
        if answer.is_success:
            return Answer(answer.status_code, body)
        raise self._refusal(ask, answer, body)

    def _wait_after(self, error: Hiccup, tried: int) -> float:
        """Give the seconds to wait before another try; raises if there is none."""
        asked_for = error.retry_after
        if tried >= TRIES or (asked_for is not None and asked_for > self.manner.patience):
            times = f"; it was tried {tried} times" if tried > 1 else ""
            raise Unavailable(f"{error}{times}", retry_after=asked_for) from error
        least = asked_for.total_seconds() if asked_for is not None else 0.0
        return least + self.manner.chance() * min(CAP, BASE * float(2 ** (tried - 1)))

    async def _exchange(self, ask: Ask, lane: _Lane, spent: Spent) -> tuple[httpx.Response, bytes]:
        with self._explained(ask):
            if lane is self._logs and self.wire.quick is not None:
                return await self._quickly(self.wire.quick, ask, spent)
            async with self._opened(ask, lane, spent) as answer:
                return answer, await _body(answer)

    async def _quickly(
        self, quick: QuickReads, ask: Ask, spent: Spent
    ) -> tuple[httpx.Response, bytes]:
        """Read once, and once more with newer credentials if ours are refused."""
        credentials = self.access.credentials
        shown = await credentials.present()
        answer, body = await self._read(quick, ask, shown, spent)
        if answer.status_code == 401:
            newer = await credentials.present(refused=shown)
            if newer != shown:
                answer, body = await self._read(quick, ask, newer, spent)
        if answer.status_code == 401:
            raise denied(self.access.name, ask)
        return answer, body

    async def _read(
        self, quick: QuickReads, ask: Ask, shown: Presented, spent: Spent
    ) -> tuple[httpx.Response, bytes]:
        self.wire.wear(shown.certificate, self.access.name)
        headers = [("Accept", TEXT), ("Accept-Encoding", PLAIN)]
        if shown.token is not None:
            headers.append(("Authorization", f"Bearer {shown.token}"))
        spent.calls += 1
        return await quick.get(ask.path, ask.params, headers)

    @asynccontextmanager
    async def _opened(
        self, ask: Ask, lane: _Lane, spent: Spent, idle: timedelta | None = None
    ) -> AsyncIterator[httpx.Response]:
        """Ask with our credentials, and once more with newer ones if they are refused."""
        credentials = self.access.credentials
        shown = await credentials.present()
        async with AsyncExitStack() as stack:
            spent.calls += 1
            answer = await stack.enter_async_context(self._asked(ask, lane, shown, idle))
            if answer.status_code == 401:
                await stack.aclose()
                newer = await credentials.present(refused=shown)
                if newer == shown:
                    raise denied(self.access.name, ask)
                spent.calls += 1
                answer = await stack.enter_async_context(self._asked(ask, lane, newer, idle))
            if answer.status_code == 401:
                raise denied(self.access.name, ask)
            yield answer

    def _asked(
        self, ask: Ask, lane: _Lane, shown: Presented, idle: timedelta | None
    ) -> AbstractAsyncContextManager[httpx.Response]:
        self.wire.wear(shown.certificate, self.access.name)
        headers = {"Accept": lane.accept, "Accept-Encoding": lane.coding}
        if shown.token is not None:
            headers["Authorization"] = f"Bearer {shown.token}"
        name = self.access.server_name
        return self.wire.http.stream(
            "GET",
            f"{self.access.server}{ask.path}",
            params=list(ask.params),
            headers=headers,
            timeout=self._timeout(idle),
            extensions={"sni_hostname": name} if name else None,
            follow_redirects=False,
        )

    def _timeout(self, idle: timedelta | None) -> httpx.Timeout:
        usual = self.wire.http.timeout
        read = idle.total_seconds() if idle else READ_SECONDS
        return httpx.Timeout(read, connect=usual.connect, write=usual.write, pool=usual.pool)

    def _refusal(self, ask: Ask, answer: httpx.Response, body: bytes) -> SyncsvcError:
        error = of_answer(self.access.name, ask, answer, body)
        if isinstance(error, Unavailable):
            error.retry_after = pause_asked_for(answer, body, self.manner.clock())
        return error

    @contextmanager
    def _explained(self, ask: Ask) -> Iterator[None]:
        try:
            yield
        except (httpx.LocalProtocolError, httpx.InvalidURL):  # may show the token
            raise Rejected(
                f"cluster {self.access.name!r}: HTTP does not allow {ask}; "
                "check its server address and token"
            ) from None
        except httpx.RequestError as error:
            raise of_failure(self.access.name, ask, error) from error


async def _body(answer: httpx.Response) -> bytes:
    """Read an answer to its end, or as much of an error as can matter."""
    body = bytearray()
    async for some in answer.aiter_bytes():
        body += some
        if answer.is_success and len(body) > LARGEST_ANSWER:
            path = answer.request.url.path
            raise Unavailable(f"{path} was answered with more than {LARGEST_ANSWER} bytes")
        if not answer.is_success and len(body) > LARGEST_ERROR:
            break
    return bytes(body)
