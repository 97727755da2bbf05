"""Whoever listens to a subject is woken when something happened to it."""

import pytest

from syncsvc.coordination.names import subject
from syncsvc.coordination.signals import Signals

LOCK = subject("lease", "a run", "lock", "database")


@pytest.fixture
def signals() -> Signals:
    return Signals()


async def test_an_announcement_wakes_those_who_listen_to_its_subject(signals):
    with signals.listen(LOCK) as one, signals.listen(LOCK) as another:
        signals.announced(LOCK, "")

        assert await one.wait(1)
        assert await another.wait(1)


async def test_an_announcement_wakes_nobody_else(signals):
    with signals.listen(subject("lease", "another run", "lock", "database")) as signal:
        signals.announced(LOCK, "")

        assert not await signal.wait(0)


async def test_what_happens_between_looking_and_waiting_is_not_missed(signals):
    with signals.listen(LOCK) as signal:
        signals.announced(LOCK, "")
        signals.announced(LOCK, "")

        assert await signal.wait(0.1)
        assert not await signal.wait(0)


async def test_everybody_is_woken_when_announcements_may_have_been_missed(signals):
    with signals.listen(LOCK) as one, signals.listen("another subject") as another:
        signals.all()

        assert await one.wait(1)
        assert await another.wait(1)


async def test_a_kind_may_have_its_own_way_of_being_told(signals):
    told = []
    signals.handle("checkpoint", lambda *announcement: told.append(announcement))

    signals.announced("checkpoint\na run\nstart", "released")

    assert told == [("checkpoint\na run\nstart", "released")]


async def test_who_no_longer_listens_is_forgotten(signals):
    with signals.listen(LOCK):
        pass

    signals.announced(LOCK, "")

    assert not signals.listened
