"""One call to TestIO: every attempt passes the gate, is counted, and may be followed by another.

A hiccup is tried again after a random wait, a few times. A pause that the server asks for holds at
the gate, for all processes; whoever was sent away waits there and asks again.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from syncsvc.adapters.testio.accounts import Account
from syncsvc.adapters.testio.failures import Hiccup, Throttled, of_answer, of_failure
from syncsvc.catalogue.ports import Broken, Misshapen
from syncsvc.catalogue.spending import Spending
from syncsvc.coordination.gate.ports import Gate
from syncsvc.errors import Rejected, Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

TRIES = 5
PAUSES = 10  # of one call
BASE, CAP = 0.2, 5.0  # seconds at most before the second try, and before any
TRIVIAL = 0.05  # seconds that a turn may take before it counts as a wait
BUSY = timedelta(seconds=5)  # when to come again after the gate let nobody through
LARGEST_ANSWER = 32 * 1024 * 1024  # bytes; a page of tests has about 100,000
LARGEST_ERROR = 64 * 1024


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Manner:
    """How calls are made: an answer takes no longer than `limit`, from its first byte to its last.

    `patience` is the gate's: a pause that is longer is not waited for. `timer` gives seconds.
    """

    limit: timedelta = timedelta(seconds=30)
    patience: timedelta = timedelta(seconds=30)
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    clock: Callable[[], datetime] = _now
    timer: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Ask:
    """What to read; so many answers of 500 are enough to believe that it is broken."""

    path: str
    params: tuple[tuple[str, str | int], ...] = ()
    broken_after: int = TRIES


@dataclass
class TestIoCalls:
    """Reads with one account's token."""

    __test__ = False  # not one of pytest's classes

    account: Account
    http: httpx.AsyncClient
    gate: Gate
    manner: Manner = Manner()

    async def get(self, ask: Ask, spending: Spending) -> bytes:
        """Give the body of a success; raises what a Source raises."""
        tries = _Tries(ask)
        while True:
            try:
                return await self._attempt(ask, spending, again=tries.any)
            except Throttled as error:
                await self._leave_in_peace(error)
                tries.was_sent_away(error, self.manner.patience)
                self._note(error)
            except Hiccup as error:
                longest = tries.met(error)
                self._note(error)
                await self.manner.pause(longest * self.manner.chance())

    async def _attempt(self, ask: Ask, spending: Spending, *, again: bool) -> bytes:
        async with AsyncExitStack() as turn:
            await self._take(turn, spending)
            spending.spend(again=again)
            answer, body = await self._exchange(ask)
        if answer.is_success:
            return body
        raise of_answer(self.account, answer, body, self.manner.clock())

    async def _take(self, turn: AsyncExitStack, spending: Spending) -> None:
        began = self.manner.timer()
        try:
            await turn.enter_async_context(self.gate.passing(self.account.place))
        except Unavailable as error:  # nobody was asked: it costs no more than to come again
            raise Unavailable(str(error), retry_after=error.retry_after or BUSY) from error
        finally:
            waited = self.manner.timer() - began
            spending.throttled += waited if waited > TRIVIAL else 0

    async def _exchange(self, ask: Ask) -> tuple[httpx.Response, bytes]:
        said = f"TestIO did not answer GET {ask.path}"
        limit = self.manner.limit.total_seconds()
        try:
            async with asyncio.timeout(limit), self._asked(ask) as answer:
                return answer, await _body(answer)
        except TimeoutError as error:
            raise Hiccup(f"{said} within {limit:g} s") from error
        except (httpx.LocalProtocolError, httpx.InvalidURL, ValueError):  # may show the token
            settings = f"{self.account.url_from} and {self.account.token_from}"
            raise Rejected(
                f"{said}: HTTP does not allow such a request; check {settings}"
            ) from None
        except httpx.RequestError as error:
            raise of_failure(self.account, error, said) from error

    def _asked(self, ask: Ask) -> AbstractAsyncContextManager[httpx.Response]:
        return self.http.stream(
            "GET",
            f"{self.account.base_url}{ask.path}",
            params=list(ask.params),
            headers={
                "Authorization": f"Token {self.account.token}",
                "Accept": "application/json",
            },
            follow_redirects=False,
        )

    async def _leave_in_peace(self, error: Throttled) -> None:
        try:
            await self.gate.pause(self.account.place, error.pause)
        except Unavailable as failed:
            raise Unavailable(f"{error}; {failed}", retry_after=error.pause) from failed

    def _note(self, error: Unavailable) -> None:
        customer = self.account.customer.name
        log.warning("TestIO is asked again", customer=customer, reason=str(error))


@dataclass
class _Tries:
    """What one call has met so far."""

    ask: Ask
    failed: int = 0
    broken: int = 0
    paused: int = 0

    @property
    def any(self) -> bool:
        return bool(self.failed or self.paused)

    def met(self, error: Hiccup) -> float:
        """Give the longest wait, in seconds, before the next try; raises when it was the last."""
        self.failed += 1
        self.broken += error.is_broken
        if self.broken >= self.ask.broken_after:
            raise Broken(f"{error}, {self.broken} times") from error
        if self.failed >= TRIES:
            raise Unavailable(f"{error}; it was tried {TRIES} times") from error
        return float(min(CAP, BASE * 2 ** (self.failed - 1)))

    def was_sent_away(self, error: Throttled, patience: timedelta) -> None:
        """Raise when the pause is longer than the patience, or comes once too often."""
        self.paused += 1
        if error.pause > patience or self.paused > PAUSES:
            raise Unavailable(str(error), retry_after=error.pause) from error


async def _body(answer: httpx.Response) -> bytes:
    """Read an answer to its end, or as much of an error as can matter."""
    body = bytearray()
    async for some in answer.aiter_bytes():
        body += some
        if answer.is_success and len(body) > LARGEST_ANSWER:
            path = answer.request.url.path
            raise Misshapen(f"TestIO answered {path} with more than {LARGEST_ANSWER} bytes")
        if not answer.is_success and len(body) > LARGEST_ERROR:
            break
    return bytes(body)
