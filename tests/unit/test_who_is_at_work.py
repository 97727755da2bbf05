"""When a run is over: nobody is at work, and who counts as gone depends on how it speaks."""

from dataclasses import replace

import pytest

from syncsvc.coordination.names import LONGEST_NAME, check_name
from syncsvc.errors import Rejected
from syncsvc.runs.model import (
    Election,
    Roster,
    WorkerStatus,
    at_work,
    election,
)
from tests.support.builders import LIVENESS, MINUTE, NOON, SECOND, worker

REGISTERED, IN_PROGRESS, COMPLETED = WorkerStatus


def test_a_worker_in_progress_is_at_work():
    roster = Roster((worker("a", IN_PROGRESS), worker("b", COMPLETED)))

    assert [w.name for w in at_work(roster, NOON, LIVENESS)] == ["a"]


def test_a_worker_that_sends_beats_is_gone_soon_after_the_last_one():
    roster = Roster((worker(beats=True),))

    assert at_work(roster, NOON + 2 * MINUTE - SECOND, LIVENESS)
    assert not at_work(roster, NOON + 2 * MINUTE, LIVENESS)


def test_a_worker_without_beats_may_be_silent_for_long():
    roster = Roster((worker(),))

    assert at_work(roster, NOON + 29 * MINUTE, LIVENESS)
    assert not at_work(roster, NOON + 30 * MINUTE, LIVENESS)


def test_a_worker_that_never_spoke_after_registering_is_gone_after_its_own_limit():
    roster = Roster((worker(status=REGISTERED),))

    assert at_work(roster, NOON + 4 * MINUTE, LIVENESS)
    assert not at_work(roster, NOON + 5 * MINUTE, LIVENESS)


@pytest.mark.parametrize("auto", [True, False])
def test_the_first_worker_is_master(auto):
    assert election(Roster(()), "a", auto=auto, stale_before=NOON) is Election.MASTER


@pytest.mark.parametrize("auto", [True, False])
def test_the_master_that_registers_again_stays_master(auto):
    roster = Roster((worker("a"),), master="a")

    assert election(roster, "a", auto=auto, stale_before=NOON) is Election.MASTER


@pytest.mark.parametrize("auto", [True, False])
def test_nobody_else_is_master_while_the_master_is_at_work(auto):
    roster = Roster((worker("a"),), master="a")

    assert election(roster, "b", auto=auto, stale_before=NOON) is Election.WORKER


def test_a_master_that_has_not_begun_gives_way_only_by_the_auto_policy():
    roster = Roster((worker("controller", REGISTERED),), master="controller")

    assert election(roster, "gw0", auto=True, stale_before=NOON) is Election.HEIR
    assert election(roster, "gw0", auto=False, stale_before=NOON) is Election.WORKER


@pytest.mark.parametrize("auto", [True, False])
def test_a_master_that_is_done_or_gone_gives_way(auto):
    done = Roster((worker("a", COMPLETED),), master="a")
    gone = Roster((worker("a"),), master="a")

    assert election(done, "b", auto=auto, stale_before=NOON) is Election.HEIR
    assert election(gone, "b", auto=auto, stale_before=NOON + SECOND) is Election.HEIR


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * (LONGEST_NAME + 1)])
def test_a_name_that_cannot_be_is_rejected_by_its_field(name):
    with pytest.raises(Rejected, match=r"^pid: expected"):
        check_name("pid", name)


def silent(name: str, kind: str):
    return replace(worker(name, REGISTERED), kind=kind)


def completed(name: str, kind: str):
    return replace(worker(name, COMPLETED), kind=kind)


def test_a_ghost_is_missed_sooner_once_another_of_its_kind_has_completed():
    roster = Roster((silent("ghost", "java"), completed("b", "java")))

    assert at_work(roster, NOON + 2 * MINUTE - SECOND, LIVENESS)
    assert not at_work(roster, NOON + 2 * MINUTE, LIVENESS)


@pytest.mark.parametrize(("kind", "other"), [("java", "python"), ("", "")])
def test_a_silent_worker_of_another_or_an_unknown_kind_is_given_its_time(kind, other):
    roster = Roster((silent("slow", kind), completed("b", other)))

    assert at_work(roster, NOON + 4 * MINUTE, LIVENESS)


def test_a_slow_starter_that_speaks_is_at_work_whatever_others_did():
    slow = replace(worker("slow", IN_PROGRESS), kind="java")
    roster = Roster((slow, completed("b", "java")))

    assert at_work(roster, NOON + 29 * MINUTE, LIVENESS)
