"""Calls that arrive together are carried out together, and each gets its own answer.

While one group is under way the next one gathers, so a busy process pays one commit
or one round trip for many callers and a quiet one waits for nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Generic, TypeVar

from syncsvc.errors import Unavailable

Call = TypeVar("Call")
Answer = TypeVar("Answer")

LARGEST = 256  # keeps one group short for whoever waits behind it


class Grouped(Generic[Call, Answer]):
    """Carries out single calls in groups.

    `carry_out` takes the calls of a group and gives an answer, or an exception to raise,
    for each in the same order. What it raises itself is raised for every call of the group.
    """

    def __init__(
        self,
        carry_out: Callable[[Sequence[Call]], Awaitable[Sequence[Answer | Exception]]],
        *,
        patience: timedelta,
        largest: int = LARGEST,
    ) -> None:
        self._carry_out = carry_out
        self._largest = largest
        self._patience = patience.total_seconds()
        self._waiting: list[tuple[Call, asyncio.Future[Answer]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, call: Call) -> Answer:
        """Carry out one call.

        Raises Unavailable when its group did not end within the patience.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, answer))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._drain())
        return await answer

    async def _drain(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            answers = await self._answers([call for call, _ in group])
            for (_, future), answer in zip(group, answers, strict=True):
                _settle(future, answer)

    async def _answers(self, calls: Sequence[Call]) -> Sequence[Answer | Exception]:
        try:
            async with asyncio.timeout(self._patience):
                return await self._carry_out(calls)
        except TimeoutError:
            late = Unavailable(f"the store did not answer within {self._patience:g} s")
            return [late] * len(calls)
        except Exception as error:  # noqa: BLE001 - it is raised again, in every caller
            return [error] * len(calls)


def _settle(future: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if future.done():  # its caller has gone; what was asked for is done all the same
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
