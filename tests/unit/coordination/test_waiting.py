"""A wait listens, looks and listens; those who ask the same at one moment share the answer."""

import asyncio

import pytest

from syncsvc.coordination.signals import Signals
from syncsvc.coordination.waiting import LOOK_AGAIN, Look, Shared, wait_until_enough
from syncsvc.errors import Unavailable


@pytest.fixture
def signals() -> Signals:
    return Signals()


async def test_a_wait_that_sees_enough_at_once_looks_once(signals):
    looks = []

    async def look() -> Look[int]:
        looks.append(1)
        return Look(7, enough=True)

    assert await wait_until_enough(signals, "s", 10, look) == 7
    assert len(looks) == 1


async def test_a_wait_without_time_looks_once_and_gives_what_it_saw(signals):
    async def look() -> Look[int]:
        return Look(7, enough=False)

    assert await wait_until_enough(signals, "s", 0, look) == 7


async def test_what_is_announced_while_a_wait_looks_is_not_missed(signals):
    values = []

    async def look() -> Look[int]:
        values.append(len(values))
        if len(values) == 1:
            signals.announced("s", "")  # after the store was read, before the wait begins
        return Look(values[-1], enough=len(values) == 2)

    async with asyncio.timeout(2):
        assert await wait_until_enough(signals, "s", 10, look) == 1


async def test_a_wait_whose_announcement_was_lost_looks_by_itself(signals):
    values = []

    async def look() -> Look[int]:
        values.append(len(values))
        return Look(values[-1], enough=len(values) == 3, changes_in=0.001)

    async with asyncio.timeout(LOOK_AGAIN / 2):
        assert await wait_until_enough(signals, "s", 10, look) == 2


async def test_a_wait_that_failed_or_was_cancelled_listens_no_more(signals):
    async def fail() -> Look[int]:
        raise Unavailable("Redis did not serve")

    async def look() -> Look[int]:
        return Look(0, enough=False)

    with pytest.raises(Unavailable):
        await wait_until_enough(signals, "s", 10, fail)
    waiting = asyncio.create_task(wait_until_enough(signals, "s", 10, look))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert signals._listening == {}


class Store:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.was_asked, self.answer = asyncio.Event(), asyncio.Event()

    async def __call__(self, question: str) -> str:
        self.asked.append(question)
        self.was_asked.set()
        await self.answer.wait()
        return f"{question} {len(self.asked)}"


async def test_those_who_ask_at_one_moment_share_one_answer():
    store = Store()
    store.answer.set()
    shared = Shared(store)

    answers = await asyncio.gather(*(shared("a") for _ in range(100)), shared("b"))

    assert sorted(store.asked) == ["a", "b"]
    assert len(set(answers)) == 2


async def test_whoever_asks_while_an_answer_is_under_way_gets_a_fresh_one():
    store = Store()
    shared = Shared(store)
    first = asyncio.create_task(shared("a"))
    await store.was_asked.wait()

    second = asyncio.create_task(shared("a"))
    await asyncio.sleep(0)
    store.answer.set()

    assert await asyncio.gather(first, second) == ["a 1", "a 2"]


async def test_an_error_reaches_those_who_asked_and_nobody_else():
    async def ask(question: str) -> str:
        if question == "bad":
            raise Unavailable("later")
        return question

    shared = Shared(ask)

    answers = await asyncio.gather(
        shared("bad"), shared("good"), shared("bad"), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [Unavailable, str, Unavailable]
