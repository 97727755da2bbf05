"""The sync job: shown and changed by anybody, the same to every process, for good."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from syncsvc.errors import Conflict, Rejected, Unavailable
from syncsvc.loadtests.jobs import TRIES, JobDefaults, SyncJobs
from syncsvc.loadtests.memory import MemoryControl
from syncsvc.loadtests.memory_rows import Shelf
from syncsvc.loadtests.ports import Origin, Turn
from tests.support.builders import MINUTE, NOON, SECOND, Clock

ENVIRONMENT = JobDefaults(interval=30 * SECOND, origin=Origin.ENVIRONMENT)


@dataclass
class Place:
    """One job that many processes see."""

    defaults: JobDefaults = field(default_factory=JobDefaults)
    clock: Clock = field(default_factory=Clock)
    shelf: Shelf = field(default_factory=Shelf)

    @property
    def jobs(self) -> SyncJobs:
        """Another process each time, that has just started."""
        return SyncJobs(MemoryControl(self.shelf), self.defaults, self.clock)

    async def begun(self, interval: timedelta = 20 * SECOND) -> None:
        """Begin a cycle."""
        turn = Turn(self.shelf.job.version, interval, "one", MINUTE, at_once=True)
        assert await MemoryControl(self.shelf).take_due(turn, self.clock())


@pytest.fixture
def place() -> Place:
    return Place()


async def test_the_job_runs_every_20_seconds_unless_somebody_says_otherwise(place):
    state = await place.jobs.state()

    assert (state.is_running, state.interval, state.origin) == (True, 20 * SECOND, Origin.DEFAULT)
    assert (state.next_in, state.auto_enabled, state.version) == (timedelta(0), True, 0)


async def test_an_interval_of_the_settings_is_called_theirs():
    state = await Place(ENVIRONMENT).jobs.state()

    assert (state.interval, state.origin) == (30 * SECOND, Origin.ENVIRONMENT)


async def test_a_job_that_the_settings_switch_off_is_stopped(place):
    place.defaults = JobDefaults(enabled=False)

    state = await place.jobs.state()

    assert (state.is_running, state.next_in, state.auto_enabled) == (False, None, False)


async def test_a_job_that_the_settings_switch_off_may_be_started(place):
    place.defaults = JobDefaults(enabled=False)

    state = (await place.jobs.start(None, "ann")).state

    assert (state.is_running, state.auto_enabled) == (True, False)
    assert (state.interval, state.origin) == (20 * SECOND, Origin.DEFAULT)


async def test_the_next_cycle_is_told_in_true_seconds(place):
    await place.begun()
    place.clock.pass_(SECOND * 7.25)

    assert (await place.jobs.state()).next_in == SECOND * 12.75


async def test_a_cycle_that_is_late_is_due_now(place):
    await place.begun()
    place.clock.pass_(MINUTE)

    state = await place.jobs.state()

    assert (state.next_in, state.last_begun_at) == (timedelta(0), NOON)


async def test_a_stopped_job_is_started_at_once_with_the_interval_that_is_told(place):
    await place.begun()
    await place.jobs.stop("ann")
    place.clock.pass_(SECOND)

    answer = await place.jobs.start(15 * SECOND, "bob")

    state = answer.state
    assert (state.is_running, state.interval, state.origin) == (True, 15 * SECOND, Origin.RUNTIME)
    assert (state.next_in, state.updated_by) == (timedelta(0), "bob")
    assert state.updated_at == NOON + SECOND
    assert answer.told == "Sync job started, every 15 seconds"


async def test_a_stopped_job_that_is_started_without_an_interval_has_that_of_the_settings(place):
    await place.jobs.start(15 * SECOND, "ann")
    await place.jobs.stop("ann")

    answer = await place.jobs.start(None, "ann")

    assert (answer.state.interval, answer.state.origin) == (20 * SECOND, Origin.DEFAULT)
    assert answer.told == "Sync job started, every 20 seconds"


async def test_a_running_job_takes_another_interval_from_its_last_cycle_on(place):
    await place.begun()
    place.clock.pass_(5 * SECOND)

    answer = await place.jobs.start(MINUTE, "ann")

    assert (answer.state.interval, answer.state.origin) == (MINUTE, Origin.RUNTIME)
    assert answer.state.next_in == 55 * SECOND
    assert answer.told == "Sync job goes on every 60 seconds"


async def test_a_running_job_whose_new_interval_is_over_already_is_due_now(place):
    await place.begun()
    place.clock.pass_(10 * SECOND)

    answer = await place.jobs.start(5 * SECOND, "ann")

    assert answer.state.next_in == timedelta(0)


@pytest.mark.parametrize("interval", [None, 15 * SECOND])
async def test_a_running_job_that_is_started_again_goes_on_as_it_is(place, interval):
    before = (await place.jobs.start(15 * SECOND, "ann")).state

    answer = await place.jobs.start(interval, "bob")

    assert answer.state == before
    assert answer.told == "Sync job is already running, every 15 seconds"


async def test_a_restart_goes_back_to_the_settings_at_once(place):
    place.defaults = ENVIRONMENT
    await place.jobs.start(15 * SECOND, "ann")
    await place.begun()

    answer = await place.jobs.restart(None, "bob")

    state = answer.state
    assert (state.interval, state.origin) == (30 * SECOND, Origin.ENVIRONMENT)
    assert (state.is_running, state.next_in) == (True, timedelta(0))
    assert answer.told == "Sync job restarted, every 30 seconds"


async def test_a_restart_may_tell_an_interval(place):
    await place.jobs.stop("ann")

    state = (await place.jobs.restart(300 * SECOND, "ann")).state

    assert (state.is_running, state.interval, state.origin) == (
        True,
        300 * SECOND,
        Origin.RUNTIME,
    )


async def test_a_stopped_job_is_not_due(place):
    await place.begun()

    answer = await place.jobs.stop("ann")

    assert (answer.state.is_running, answer.state.next_in) == (False, None)
    assert answer.told == "Sync job stopped"


async def test_stopping_twice_is_stopping_once(place):
    stopped = (await place.jobs.stop("ann")).state

    answer = await place.jobs.stop("bob")

    assert answer.state == stopped
    assert answer.told == "Sync job is not running"


async def test_what_was_said_is_so_for_every_process_whatever_its_settings(place):
    await place.jobs.start(15 * SECOND, "ann")
    await place.jobs.stop("ann")

    place.defaults = replace(ENVIRONMENT, enabled=True)

    assert not (await place.jobs.state()).is_running


async def test_an_interval_that_was_told_outlives_another_in_the_settings(place):
    await place.jobs.start(15 * SECOND, "ann")

    place.defaults = ENVIRONMENT
    state = await place.jobs.state()

    assert (state.interval, state.origin) == (15 * SECOND, Origin.RUNTIME)


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (4, "4"),
        (301, "301"),
        (0, "0"),
        (-20, "-20"),
        (15.9, "15.9"),
        (4.999999, "4.999999"),
        (300.000001, "300.000001"),
        (86_400 * 365, "31536000"),
    ],
)
@pytest.mark.parametrize("wish", ["start", "restart"])
async def test_an_interval_out_of_range_names_the_field_and_the_range(place, wish, seconds, found):
    with pytest.raises(Rejected) as raised:
        await getattr(place.jobs, wish)(timedelta(seconds=seconds), "ann")

    assert str(raised.value) == (
        f"intervalSeconds: expected a whole number from 5 to 300, found {found}"
    )
    assert place.shelf.job.version == 0


@pytest.mark.parametrize("seconds", [5, 300])
async def test_the_ends_of_the_range_are_in_it(place, seconds):
    state = (await place.jobs.start(timedelta(seconds=seconds), "ann")).state

    assert state.interval == timedelta(seconds=seconds)


@dataclass(frozen=True)
class Contested(MemoryControl):
    """Somebody else changes the job first, so many times."""

    times: list[int] = field(default_factory=list)

    async def change(self, version, change, at):
        if self.times:
            self.times.pop()
            await super().change(version, replace(change, by="somebody else"), at)
            raise Conflict("sync job: read it again")
        return await super().change(version, change, at)


async def test_a_change_that_another_was_faster_with_is_tried_again(place):
    control = Contested(place.shelf, [1] * (TRIES - 1))

    answer = await SyncJobs(control, place.defaults, place.clock).restart(15 * SECOND, "ann")

    assert (answer.state.updated_by, answer.state.version) == ("ann", TRIES)


async def test_who_was_overtaken_decides_from_what_is_there_now(place):
    control = Contested(place.shelf, [1])

    answer = await SyncJobs(control, place.defaults, place.clock).stop("ann")

    assert answer.told == "Sync job is not running"
    assert answer.state.updated_by == "somebody else"


async def test_a_job_that_others_never_leave_alone_is_to_be_changed_later(place):
    control = Contested(place.shelf, [1] * TRIES)

    with pytest.raises(Unavailable, match="try later"):
        await SyncJobs(control, place.defaults, place.clock).restart(None, "ann")
