"""A TestIO that answers what a test says, a gate that remembers, and time that only they move."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from syncsvc.adapters.testio.accounts import Account
from syncsvc.adapters.testio.calls import Manner, TestIoCalls
from syncsvc.adapters.testio.client import TestIoSource
from syncsvc.catalogue.ports import Customer
from syncsvc.catalogue.spending import Spending
from syncsvc.errors import Unavailable
from tests.support.builders import NOON

TOKEN = "s3cret-token"
URL = "https://testio.invalid/customer/v2"
NONE = {"products": []}

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def account(name: str = "acme", url: str = URL, token: str = TOKEN) -> Account:
    return Account(Customer(name), url, token)


def status(code: int, json: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(
        code, json=json, headers={k.replace("_", "-"): headers[k] for k in headers}
    )


def ok(json: object = None) -> httpx.Response:
    return status(200, NONE if json is None else json)


def throttled(retry_after: str | None = "3", code: int = 429) -> httpx.Response:
    return status(code) if retry_after is None else status(code, Retry_After=retry_after)


@dataclass
class Time:
    """Seconds since noon; `waits` are those between two tries."""

    passed: float = 0
    waits: list[float] = field(default_factory=list)

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds

    def timer(self) -> float:
        return self.passed

    def clock(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)


@dataclass
class HoldingGate:
    """Lets through after the pauses that were asked for, and after `slow` seconds."""

    time: Time
    slow: float = 0
    refusal: Unavailable | None = None
    pauses: list[tuple[str, timedelta]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    within: int = 0
    opens: float = 0

    @asynccontextmanager
    async def passing(self, place: str) -> AsyncIterator[None]:
        self.time.passed = max(self.opens, self.time.passed) + self.slow
        if self.refusal is not None:
            raise self.refusal
        self.passed.append(place)
        self.within += 1
        try:
            yield
        finally:
            self.within -= 1

    async def pause(self, place: str, length: timedelta) -> None:
        self.pauses.append((place, length))
        self.opens = self.time.passed + length.total_seconds()


class Api:
    """Answers in turn, the last one for ever; `spending` is what the calls cost."""

    def __init__(self, *answers: Answer, of: Account | None = None, limit: int = 100) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.time = Time()
        self.gate = HoldingGate(self.time)
        self.spending = Spending(limit)
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.calls = TestIoCalls(of or account(), http, self.gate, self._manner())
        self.source = TestIoSource(self.calls)

    def _manner(self) -> Manner:
        return Manner(
            pause=self.time.pause,
            chance=lambda: 1.0,
            clock=self.time.clock,
            timer=self.time.timer,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert self.gate.within == 1
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):  # one may be given several times
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        return answer(request)
