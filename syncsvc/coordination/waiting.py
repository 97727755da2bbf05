"""A wait listens first and then looks, again after each announcement and now and then unasked.

Announcements may get lost; then a wait takes a little longer, and no more than that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from syncsvc.coordination.signals import Signals
from syncsvc.grouping import Grouped

LOOK_AGAIN = 5.0  # seconds after which a wait looks unasked
PATIENCE = timedelta(seconds=20)  # two of the store's own

Found = TypeVar("Found")
Question = TypeVar("Question")


@dataclass(frozen=True, slots=True)
class Look(Generic[Found]):
    """What was seen, whether the wait may end with it, and when it changes by itself."""

    found: Found
    enough: bool
    changes_in: float = LOOK_AGAIN  # seconds


async def wait_until_enough(
    signals: Signals, subject: str, seconds: float, look: Callable[[], Awaitable[Look[Found]]]
) -> Found:
    """Look until it is enough or the time has passed, and give what was seen last."""
    now = asyncio.get_running_loop().time
    deadline = now() + seconds
    with signals.listen(subject) as signal:
        while True:
            seen = await look()
            left = deadline - now()
            if seen.enough or left <= 0:
                return seen.found
            await signal.wait(min(left, seen.changes_in, LOOK_AGAIN))


class Shared(Generic[Question, Found]):
    """Those who ask the same at the same moment share one answer.

    Whoever asks while an answer is under way gets a fresh one: the first may be older than
    what made him ask.
    """

    def __init__(self, ask: Callable[[Question], Awaitable[Found]]) -> None:
        self._ask = ask
        self._grouped: Grouped[Question, Found] = Grouped(self._carry_out, patience=PATIENCE)

    async def __call__(self, question: Question) -> Found:
        return await self._grouped(question)

    async def _carry_out(self, questions: Sequence[Question]) -> Sequence[Found | Exception]:
        different = list(dict.fromkeys(questions))
        asked = (self._ask(question) for question in different)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        by_question = dict(zip(different, answers, strict=True))
        return [_plain(by_question[question]) for question in questions]


def _plain(answer: Found | BaseException) -> Found | Exception:
    if isinstance(answer, BaseException) and not isinstance(answer, Exception):
        raise answer
    return answer
