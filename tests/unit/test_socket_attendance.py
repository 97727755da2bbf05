"""Workers are present while their connections stand, also when the store is away for a while."""

import pytest

from syncsvc.adapters.testsync.attendance import Attendance
from syncsvc.errors import Rejected, Unavailable
from tests.support.sockets import Attendees


class Flaky(Attendees):
    """Fails as often as it is told to."""

    failures: list[Exception]

    def __init__(self, *failures: Exception) -> None:
        super().__init__()
        self.failures = list(failures)

    def _note(self, what: str, run: str, worker: str) -> None:
        if self.failures:
            raise self.failures.pop()
        super()._note(what, run, worker)


async def test_who_could_not_be_told_is_told_later():
    presence = Flaky(Unavailable("not now"))
    attendance = Attendance(presence)
    attendance.enter("run", "w")

    await attendance.tell_now()
    await attendance.tell_now()
    await attendance.tell_now()

    assert presence.said == [("join", "run", "w")]


async def test_who_is_refused_is_not_told_again():
    presence = Flaky(Rejected("worker: expected another"))
    attendance = Attendance(presence)
    attendance.enter("run", "w")

    await attendance.tell_now()
    await attendance.tell_now()

    assert presence.said == []


@pytest.mark.parametrize("farewell", [True, False])
async def test_who_comes_back_while_the_store_is_away_is_there(farewell):
    presence = Flaky(Unavailable("not now"))
    attendance = Attendance(presence)
    attendance.enter("run", "w")
    await attendance.tell_now()

    attendance.leave("run", "w", farewell=farewell)
    attendance.enter("run", "w")
    await attendance.tell_now()

    assert presence.said == [("join", "run", "w")]


async def test_who_leaves_before_it_was_told_only_leaves():
    presence = Attendees()
    attendance = Attendance(presence)
    attendance.enter("run", "w")
    attendance.leave("run", "w", farewell=True)

    await attendance.tell_now()

    assert presence.said == [("leave", "run", "w")]


async def test_a_beat_that_fails_harms_nobody():
    presence = Flaky(Unavailable("not now"))
    attendance = Attendance(presence)
    attendance.enter("run", "w")
    attendance.enter("another", "v")

    await attendance.beat_now()
    await attendance.beat_now()

    assert presence.said.count(("beat", "run", "w")) >= 1
    assert presence.said.count(("beat", "another", "v")) >= 1


async def test_nobody_is_beaten_for_after_leaving():
    presence = Attendees()
    attendance = Attendance(presence)
    attendance.enter("run", "w")
    attendance.leave("run", "w", farewell=False)

    await attendance.beat_now()

    assert presence.said == []
