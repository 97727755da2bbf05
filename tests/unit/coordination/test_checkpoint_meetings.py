"""Agents of one process, or two, meet at checkpoints, and each is told once."""

import asyncio
import re
from datetime import timedelta

import pytest

from syncsvc.coordination.checkpoints.model import Ending, Place, Policy, Standing, State
from syncsvc.errors import Conflict, Rejected, Unavailable
from tests.support.builders import MINUTE, SECOND
from tests.support.meetings import Hall

FAIL, SHRINK = Policy.FAIL, Policy.SHRINK


@pytest.fixture
def hall() -> Hall:
    return Hall()


async def test_the_last_one_releases_everybody_with_one_outcome(hall):
    agents = [hall.arrive(name, target=3) for name in "abc"]
    await hall.settled()

    outcomes = [agent.outcome for agent in agents]
    assert outcomes[0].ending is Ending.RELEASED
    assert outcomes == [outcomes[0]] * 3
    assert (outcomes[0].generation, outcomes[0].target, outcomes[0].arrived) == (1, 3, 3)


async def test_arrivals_of_one_moment_are_one_call(hall):
    for name in "abc":
        hall.arrive(name, target=9)
    await hall.settled()

    assert [list(batch.workers) for batch in hall.store.batches] == [["a", "b", "c"]]


async def test_arrivals_that_differ_in_their_terms_are_calls_of_their_own(hall):
    for name, target in (("a", 4), ("b", 4), ("c", 5), ("d", 4)):
        hall.arrive(name, target=target)
    await hall.settled()

    assert [list(batch.workers) for batch in hall.store.batches] == [["a", "b", "d"], ["c"]]


async def test_what_arrives_while_a_call_is_under_way_gathers(hall):
    hall.store.hold()
    hall.arrive("a", target=4)
    await hall.turn()
    hall.arrive("b", target=4)
    await hall.turn()
    hall.arrive("c", target=4)
    hall.store.go_on()
    await hall.settled()

    assert [list(batch.workers) for batch in hall.store.batches] == [["a"], ["b", "c"]]


async def test_an_announcement_that_overtakes_the_answer_is_remembered(hall):
    hall.store.hold_answers()
    first = hall.arrive("a", target=2)
    await hall.turn()
    other = hall.gateway()
    second = other.arrive("b", target=2)
    await other.settled()
    overtaken = list(first.told)
    hall.store.go_on()
    await hall.settled()

    assert overtaken == []
    assert first.outcome.ending is second.outcome.ending is Ending.RELEASED


async def test_nobody_is_told_twice_when_the_announcement_comes_after_the_answer(hall):
    hall.announcing = False
    agents = [hall.arrive(name, target=2) for name in "ab"]
    await hall.settled()
    subject, body = hall.news[-1]
    hall.meetings.announced(subject, body)

    assert [len(agent.told) for agent in agents] == [1, 1]


async def test_two_gateways_serve_one_checkpoint(hall):
    other = hall.gateway()
    agents = [hall.arrive("a", target=2), other.arrive("b", target=2)]
    await hall.settled()
    await other.settled()

    assert [agent.outcome.ending for agent in agents] == [Ending.RELEASED] * 2
    assert agents[0].outcome.start_at == agents[1].outcome.start_at


async def test_of_too_many_the_last_are_late(hall):
    agents = [hall.arrive(name, target=2) for name in "abc"]
    await hall.settled()

    assert [str(agent.outcome.ending) for agent in agents] == ["released", "released", "late"]


async def test_a_target_that_differs_is_refused_and_says_what_was_found(hall):
    hall.arrive("a", target=4)
    await hall.settled()
    agent = hall.arrive("b", target=5)
    await hall.settled()

    assert isinstance(agent.error, Conflict)
    assert str(agent.error) == "target: expected 4 as the first arrival set it, found 5"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"policy": FAIL}, "policy: expected ignore as the first arrival set it, found fail"),
        ({"cyclic": True}, "cyclic: expected false as the first arrival set it, found true"),
        ({"generation": 3}, "generation: expected 1 at most, found 3"),
    ],
)
async def test_a_mismatch_names_the_field(hall, asked, message):
    hall.arrive("a", target=4)
    await hall.settled()
    agent = hall.arrive("b", target=4, **asked)
    await hall.settled()

    assert str(agent.error) == message


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"target": 0}, "target"),
        ({"target": 1_000_001}, "target"),
        ({"name": ""}, "name"),
        ({"name": "x" * 1_000_000}, "name"),
        ({"worker": "a\n"}, "worker"),
        ({"run": " "}, "run"),
        ({"generation": 0}, "generation"),
        ({"timeout": timedelta(0)}, "timeout"),
        ({"name": "x" * 2_000, "lenient": True}, "identifier"),
        ({"name": "a\0b", "lenient": True}, "identifier"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_field(hall, asked, field):
    agent = hall.arrive(**{"worker": "a", "target": 2, **asked})

    assert isinstance(agent.error, Rejected)
    assert str(agent.error).startswith(f"{field}: expected")


async def test_plain_testsync_may_use_any_identifier_and_target(hall):
    agents = [
        hall.arrive("~conn-1", name="", target=-1, lenient=True),
        hall.arrive("~conn-2", name="a\nb", target=1, lenient=True),
    ]
    await hall.settled()

    assert [agent.outcome.ending for agent in agents] == [Ending.RELEASED] * 2


async def test_a_worker_that_arrives_again_waits_with_its_new_arrival_only(hall):
    old = hall.arrive("a", target=2)
    await hall.settled()
    new = hall.arrive("a", target=2)
    await hall.settled()
    hall.arrive("b", target=2)
    await hall.settled()

    assert (old.outcome.ending, new.outcome.ending) == (Ending.LEFT, Ending.RELEASED)
    assert new.outcome.arrived == 2


async def test_a_worker_that_resumes_on_another_gateway_is_counted_once(hall):
    other = hall.gateway()
    old = hall.arrive("a", target=3, policy=FAIL)
    hall.arrive("b", target=3, policy=FAIL)
    await hall.settled()
    hall.gone(old)
    await hall.settled()
    new = other.arrive("a", target=3, policy=FAIL, generation=1)
    await other.settled()
    await hall.move(2)
    status = await hall.meetings.status("r", "start")

    assert (old.told, new.told) == ([], [])
    assert status.standing.arrived == 2


async def test_a_worker_that_resumes_after_the_release_passes(hall):
    old = hall.arrive("a", target=2, cyclic=True)
    await hall.settled()
    hall.gone(old)
    hall.arrive("b", target=2, cyclic=True)
    await hall.settled()
    back = hall.arrive("a", target=2, cyclic=True, generation=1)
    await hall.settled()

    assert back.outcome.ending is Ending.LATE


async def test_with_policy_fail_all_others_are_told_who_broke_it(hall):
    other = hall.gateway()
    agents = [hall.arrive(name, target=9, policy=FAIL) for name in "abc"]
    far = other.arrive("d", target=9, policy=FAIL)
    dies_there = other.arrive("e", target=9, policy=FAIL)
    await hall.settled()
    await other.settled()

    hall.gone(agents[1])
    await hall.settled()
    other.gone(dies_there)
    await other.settled()
    await hall.move(1.1)

    assert [agent.outcome.ending for agent in (agents[0], agents[2], far)] == [Ending.BROKEN] * 3
    assert far.outcome.broken_by == ("b", "e")
    assert far.outcome.reason == "checkpoint 'start' is broken: b, e died"
    assert agents[1].told == []


async def test_a_broken_checkpoint_stays_broken_until_it_is_reset(hall):
    agents = [hall.arrive(name, target=3, policy=FAIL) for name in "ab"]
    await hall.settled()
    hall.gone(agents[0])
    await hall.settled()
    await hall.move(1.1)
    late = hall.arrive("c", target=3, policy=FAIL)
    await hall.settled()
    await hall.meetings.reset("r", "start")
    next_one = hall.arrive("c", target=1, policy=FAIL)
    await hall.settled()

    assert (late.outcome.ending, late.outcome.broken_by) == (Ending.BROKEN, ("a",))
    assert (next_one.outcome.ending, next_one.outcome.generation) == (Ending.RELEASED, 2)


async def test_with_policy_shrink_the_rest_is_released(hall):
    agents = [hall.arrive(name, target=3, policy=SHRINK) for name in "ab"]
    await hall.settled()
    hall.gone(agents[0])
    await hall.settled()
    await hall.move(1.1)
    last = hall.arrive("c", target=3, policy=SHRINK)
    await hall.settled()

    assert agents[1].outcome.ending is last.outcome.ending is Ending.RELEASED
    assert last.outcome.target == 2


async def test_with_policy_ignore_the_dead_stay_counted(hall):
    dead = hall.arrive("a", target=2)
    await hall.settled()
    hall.gone(dead)
    last = hall.arrive("b", target=2)
    await hall.settled()

    assert (dead.told, last.outcome.ending) == ([], Ending.RELEASED)


async def test_who_dies_before_it_was_counted_is_noticed_as_well(hall):
    stays = hall.arrive("b", target=3, policy=FAIL)
    await hall.settled()
    hall.store.hold_answers()
    dies = hall.arrive("a", target=3, policy=FAIL)
    await hall.turn()
    hall.gone(dies)
    hall.store.go_on()
    await hall.settled()
    await hall.move(1.1)

    assert stays.outcome.broken_by == ("a",)


async def test_agents_of_a_gateway_that_died_are_noticed(hall):
    other = hall.gateway()
    stays = hall.arrive("a", target=3, policy=FAIL)
    other.arrive("b", target=3, policy=FAIL)
    await hall.settled()
    await other.settled()

    for _ in range(16):
        await hall.move(1)
        await hall.look()

    assert stays.outcome.broken_by == ("b",)


async def test_agents_that_wait_long_stay_alive(hall):
    agent = hall.arrive("a", target=3, policy=FAIL)
    await hall.settled()

    for _ in range(40):
        await hall.move(1)
        await hall.look()

    assert agent.told == []


async def test_nobody_is_gone_because_we_stop(hall):
    other = hall.gateway()
    agents = [hall.arrive("a", target=3, policy=FAIL), other.arrive("b", target=3, policy=FAIL)]
    await hall.settled()
    await other.settled()
    hall.meetings.drain()
    hall.gone(agents[0])
    await hall.move(3)
    await other.look()

    assert agents[1].told == []


async def test_who_times_out_is_told_who_is_missing(hall):
    hall.present = ["a", "b", "c", "d"]
    agents = [hall.arrive(name, target=4) for name in "ab"]
    agents.append(hall.arrive("c", target=4, timeout=MINUTE))
    await hall.settled()
    await hall.move(60)

    assert agents[2].outcome.ending is Ending.TIMED_OUT
    assert agents[2].outcome.reason == (
        "checkpoint 'start' timed out after 60 s: 3 of 4 arrived; missing: d"
    )
    assert (await hall.meetings.status("r", "start")).standing.arrived == 2


async def test_who_times_out_among_strangers_is_told_how_many_are_missing(hall):
    agent = hall.arrive("a", target=3, timeout=SECOND)
    await hall.settled()
    await hall.move(1)

    assert agent.outcome.reason.endswith("1 of 3 arrived; missing: 2 more")


async def test_a_presence_that_cannot_be_asked_does_not_keep_anybody_waiting(hall):
    hall.present = Unavailable("away")
    agent = hall.arrive("a", target=3, timeout=SECOND)
    await hall.settled()
    await hall.move(1)

    assert agent.outcome.reason.endswith("missing: 2 more")


async def test_many_that_time_out_at_once_are_withdrawn_by_one_call(hall):
    agents = [hall.arrive(f"w{n}", target=99, timeout=SECOND) for n in range(20)]
    await hall.settled()
    await hall.move(1)

    assert {agent.outcome.ending for agent in agents} == {Ending.TIMED_OUT}
    assert hall.store.withdrawals == 1


async def test_a_timeout_with_policy_fail_breaks_it_for_the_others(hall):
    stays = hall.arrive("a", target=3, policy=FAIL)
    leaves = hall.arrive("b", target=3, policy=FAIL, timeout=SECOND)
    await hall.settled()
    await hall.move(1)

    assert leaves.outcome.ending is Ending.TIMED_OUT
    assert stays.outcome.reason == "checkpoint 'start' is broken: b timed out"


async def test_a_release_that_came_first_beats_the_timeout(hall):
    hall.announcing = False
    agent = hall.arrive("a", target=2, timeout=SECOND)
    await hall.settled()
    other = hall.gateway()
    other.arrive("b", target=2)
    await other.settled()
    await hall.move(1)

    assert agent.outcome.ending is Ending.RELEASED


async def test_a_timeout_that_overtakes_a_release_is_told_of_it_by_the_store(hall):
    hall.announcing = False
    agent = hall.arrive("a", target=2, cyclic=True, timeout=SECOND)
    await hall.settled()
    other = hall.gateway()
    released = other.arrive("b", target=2, cyclic=True)
    other.arrive("c", target=2, cyclic=True)
    await other.settled()
    await hall.move(1)

    outcome = agent.outcome
    assert (outcome.ending, outcome.generation, outcome.arrived) == (Ending.RELEASED, 1, 2)
    assert outcome.start_at == released.outcome.start_at


async def test_who_was_counted_long_ago_is_late_in_its_own_generation(hall):
    hall.announcing = False
    agents = [
        hall.arrive("a", target=2, cyclic=True, timeout=SECOND),
        hall.gateway().arrive("b", target=2, cyclic=True),
    ]
    late = hall.gateway()
    late.announcing = False
    await hall.settled()
    await hall.halls[1].settled()
    for name in "cdef":
        late.arrive(name, target=2, cyclic=True)
    await late.settled()
    await hall.move(1)

    outcome = agents[0].outcome
    assert (outcome.ending, outcome.generation) == (Ending.LATE, 1)


async def test_looking_at_what_ended_long_ago_says_late_in_its_own_generation(hall):
    hall.announcing = False
    agent = hall.arrive("a", target=2, cyclic=True)
    await hall.settled()
    other = hall.gateway()
    for name in "bcdef":
        other.arrive(name, target=2, cyclic=True)
    await other.settled()
    await hall.look()

    assert (agent.outcome.ending, agent.outcome.generation) == (Ending.LATE, 1)


async def test_a_timeout_of_what_the_store_forgot_cannot_be_told_who_arrived(hall):
    agent = hall.arrive("a", target=2, timeout=SECOND)
    await hall.settled()
    hall.twin.lose(Place("r", "start"))
    await hall.move(1)

    assert agent.outcome.ending is Ending.TIMED_OUT
    assert "cannot be told now" in agent.outcome.reason


async def test_a_timeout_before_the_answer_is_told_once_the_arrival_is_taken_back(hall):
    hall.store.hold_answers()
    agent = hall.arrive("a", target=2, timeout=SECOND)
    await hall.turn()
    hall.timers.move(1)
    told = list(agent.told)
    hall.store.go_on()
    await hall.settled()

    assert told == []
    assert (agent.outcome.ending, agent.outcome.generation) == (Ending.TIMED_OUT, 1)
    assert (await hall.meetings.status("r", "start")).standing.arrived == 0


async def test_a_timeout_before_the_answer_of_a_release_is_a_release(hall):
    hall.store.hold_answers()
    agents = [hall.arrive(name, target=2, timeout=SECOND) for name in "ab"]
    await hall.turn()
    hall.timers.move(1)
    hall.store.go_on()
    await hall.settled()

    assert [agent.outcome.ending for agent in agents] == [Ending.RELEASED] * 2


async def test_a_timeout_before_the_answer_that_a_release_overtook_is_a_release(hall):
    hall.store.hold_answers()
    agent = hall.arrive("a", target=2, timeout=SECOND)
    await hall.turn()
    hall.timers.move(1)
    other = hall.gateway()
    other.arrive("b", target=2)
    await other.settled()
    hall.store.go_on()
    await hall.settled()

    assert agent.outcome.ending is Ending.RELEASED


async def test_a_timeout_before_the_answer_that_is_late_is_late(hall):
    hall.arrive("a", target=1)
    await hall.settled()
    hall.store.hold_answers()
    agent = hall.arrive("b", target=1, timeout=SECOND)
    await hall.turn()
    hall.timers.move(1)
    hall.store.go_on()
    await hall.settled()

    assert agent.outcome.ending is Ending.LATE


async def test_a_timeout_that_is_not_answered_is_told_when_an_arrival_would_be_refused(hall):
    hall.store.hold_answers()
    agent = hall.arrive("a", target=2, timeout=SECOND)
    await hall.turn()
    hall.timers.move(1)
    hall.timers.move(13.9)
    early = list(agent.told)
    hall.timers.move(0.1)
    told = agent.outcome
    hall.store.go_on()
    await hall.settled()

    assert early == []
    assert (told.ending, told.generation) == (Ending.TIMED_OUT, 0)
    assert (await hall.meetings.status("r", "start")).standing.arrived == 0


async def test_a_timeout_longer_than_an_arrival_may_take_is_told_at_once(hall):
    hall.store.hold_answers()
    agent = hall.arrive("a", target=2, timeout=MINUTE)
    await hall.turn()
    hall.timers.move(60)
    told = agent.outcome
    hall.store.go_on()
    await hall.settled()

    assert (told.ending, told.generation) == (Ending.TIMED_OUT, 0)
    assert (await hall.meetings.status("r", "start")).standing.arrived == 0


async def test_a_timeout_before_the_store_cannot_be_reached_is_told_then_and_made_up_for(hall):
    hall.store.hold_answers()
    hall.store.lost_answer = Unavailable("away")
    agent = hall.arrive("a", target=2, timeout=SECOND)
    await hall.turn()
    hall.timers.move(1)
    early = list(agent.told)
    hall.store.go_on()
    await hall.settled()
    told = agent.outcome
    hall.store.lost_answer = None
    await hall.look()

    assert early == []
    assert (told.ending, told.generation) == (Ending.TIMED_OUT, 0)
    assert (await hall.meetings.status("r", "start")).standing.arrived == 0


async def test_a_timeout_while_the_store_cannot_be_reached_is_told_at_once_and_made_up_for(hall):
    hall.store.lost_answer = Unavailable("away")
    agent = hall.arrive("a", target=2, timeout=2 * SECOND)
    await hall.settled()
    await hall.move(1)
    await hall.look()
    hall.timers.move(1)
    told = agent.outcome
    hall.store.lost_answer = None
    await hall.look()

    assert (told.ending, told.generation) == (Ending.TIMED_OUT, 0)
    assert (await hall.meetings.status("r", "start")).standing.arrived == 0
    assert len(hall.store.batches) == 2


async def test_many_that_time_out_while_the_store_cannot_be_reached_are_one_withdrawal(hall):
    hall.store.lost_answer = Unavailable("away")
    for number in range(20):
        hall.arrive(f"w{number}", target=99, timeout=SECOND)
    await hall.settled()
    hall.timers.move(1)
    hall.store.lost_answer = None
    await hall.look()

    assert hall.store.withdrawals == 1
    assert (await hall.meetings.status("r", "start")).standing.arrived == 0


async def test_who_times_out_and_goes_before_the_answer_is_taken_back(hall):
    hall.store.hold_answers()
    agent = hall.arrive("a", target=2, timeout=SECOND)
    await hall.turn()
    hall.timers.move(1)
    hall.gone(agent)
    hall.store.go_on()
    await hall.settled()

    assert agent.told == []
    assert (await hall.meetings.status("r", "start")).standing.arrived == 0


async def test_who_times_out_before_the_answer_and_comes_back_waits_on(hall):
    hall.store.hold_answers()
    old = hall.arrive("a", target=2, timeout=SECOND)
    await hall.turn()
    hall.timers.move(1)
    new = hall.arrive("a", target=2)
    hall.store.go_on()
    await hall.settled()
    hall.arrive("b", target=2)
    await hall.settled()

    assert (old.outcome.ending, new.outcome.ending) == (Ending.LEFT, Ending.RELEASED)


async def test_who_times_out_comes_back_and_goes_before_the_answer_counts_as_one_death(hall):
    stays = hall.arrive("b", target=4, policy=SHRINK)
    await hall.settled()
    hall.store.hold_answers()
    hall.arrive("a", target=4, policy=SHRINK, timeout=SECOND)
    await hall.turn()
    hall.timers.move(1)
    hall.gone(hall.arrive("a", target=4, policy=SHRINK))
    hall.store.go_on()
    await hall.settled()
    await hall.move(1.1)

    assert stays.told == []
    assert (await hall.meetings.status("r", "start")).standing.target == 3


async def test_agents_of_another_gateway_outlive_a_store_that_was_away(hall):
    other = hall.gateway()
    agents = [hall.arrive("a", target=3, policy=FAIL), other.arrive("b", target=3, policy=FAIL)]
    await hall.settled()
    await other.settled()
    await hall.move(17)

    for gateway in (hall, other, hall):
        await gateway.look()
        await hall.move(1)
    last = hall.arrive("c", target=3, policy=FAIL)
    await hall.settled()

    assert [agent.outcome.ending for agent in (*agents, last)] == [Ending.RELEASED] * 3


async def test_no_wait_is_longer_than_the_longest(hall):
    agent = hall.arrive("a", target=2)
    await hall.settled()
    await hall.move(12 * 3600)
    await hall.look()

    assert agent.outcome.ending is Ending.TIMED_OUT
    assert re.search(r"timed out after 43200 s: 1 of 2", agent.outcome.reason)


async def test_whoever_leaves_is_told_and_not_counted(hall):
    agent = hall.arrive("a", target=2)
    await hall.settled()
    await hall.meetings.leave("r", "start", "a")
    status = await hall.meetings.status("r", "start")

    assert (agent.outcome.ending, agent.outcome.reason) == (Ending.LEFT, "worker 'a' left")
    assert status.standing.arrived == 0


async def test_leaving_by_another_gateway_ends_the_wait(hall):
    agent = hall.arrive("a", target=2)
    await hall.settled()
    await hall.gateway().meetings.leave("r", "start", "a")

    assert agent.outcome.ending is Ending.LEFT


async def test_an_abort_tells_all_why_and_those_who_come_later(hall):
    other = hall.gateway()
    agents = [hall.arrive("a", target=3), other.arrive("b", target=3)]
    await hall.settled()
    await other.settled()
    await hall.meetings.abort("r", "start", "the build is broken")
    agents.append(other.arrive("c", target=3))
    await other.settled()

    assert {(agent.outcome.ending, agent.outcome.reason) for agent in agents} == {
        (Ending.ABORTED, "the build is broken")
    }


async def test_an_abort_after_the_release_is_a_conflict(hall):
    hall.arrive("a", target=1)
    await hall.settled()

    with pytest.raises(Conflict, match="found released"):
        await hall.meetings.abort("r", "start", "too late")


@pytest.mark.parametrize("reason", ["", "x" * 501, "a\0b"])
async def test_a_reason_that_cannot_be_is_rejected(hall, reason):
    with pytest.raises(Rejected, match="reason: expected"):
        await hall.meetings.abort("r", "start", reason)


async def test_a_reset_tells_those_who_wait(hall):
    agent = hall.arrive("a", target=2)
    await hall.settled()
    await hall.meetings.reset("r", "start")

    assert (agent.outcome.ending, agent.outcome.reason) == (
        Ending.ABORTED,
        "checkpoint 'start' was reset",
    )


async def test_status_names_who_is_there_and_who_is_missing_and_counts_the_nameless(hall):
    hall.present = ["b", "a", "c"]
    for name in ("a", "~conn-1", "~conn-2"):
        hall.arrive(name, target=5)
    await hall.settled()

    status = await hall.meetings.status("r", "start")

    assert [worker for worker, _ in status.arrived] == ["a"]
    assert (status.anonymous, status.missing, status.missing_count) == (2, ("b", "c"), 2)


async def test_an_announcement_that_was_missed_is_noticed_by_looking(hall):
    hall.announcing = False
    agent = hall.arrive("a", target=2)
    await hall.settled()
    other = hall.gateway()
    other.arrive("b", target=2)
    await other.settled()
    await hall.look()

    assert agent.outcome.ending is Ending.RELEASED


async def test_a_new_subscription_asks_at_once_what_was_missed(hall):
    hall.announcing = False
    agent = hall.arrive("a", target=2)
    await hall.settled()
    other = hall.gateway()
    other.arrive("b", target=2)
    await other.settled()
    hall.meetings.began(lost=False)
    await hall.settled()

    assert agent.outcome.ending is Ending.RELEASED


async def test_a_store_that_forgot_the_last_moments_is_reminded_of_who_waits(hall):
    agent = hall.arrive("a", target=2)
    await hall.settled()
    hall.twin.lose(Place("r", "start"))
    hall.meetings.began(lost=False)
    last = hall.arrive("b", target=2)
    await hall.settled()

    assert agent.outcome.ending is last.outcome.ending is Ending.RELEASED


async def test_a_store_that_forgot_the_last_moments_is_reminded_of_what_was_told(hall):
    hall.arrive("a", target=1)
    await hall.settled()
    hall.twin.lose(Place("r", "start"))
    hall.meetings.began(lost=False)
    await hall.settled()
    late = hall.arrive("b", target=2)
    await hall.settled()

    assert late.outcome.ending is Ending.LATE


async def test_what_was_told_long_ago_is_not_brought_up_again(hall):
    hall.arrive("a", target=1)
    await hall.settled()
    await hall.move(31)
    hall.twin.lose(Place("r", "start"))
    hall.meetings.began(lost=False)
    await hall.settled()

    assert (await hall.meetings.status("r", "start")).standing.state is State.UNKNOWN


async def test_a_reminder_that_does_not_get_through_is_repeated(hall):
    agent = hall.arrive("a", target=2)
    await hall.settled()
    hall.twin.lose(Place("r", "start"))
    hall.store.error = Unavailable("away")
    hall.meetings.began(lost=False)
    await hall.settled()
    hall.store.error = None
    await hall.look()
    hall.arrive("b", target=2)
    await hall.settled()

    assert agent.outcome.ending is Ending.RELEASED


async def test_a_store_that_lost_everything_is_told_to_all_who_wait(hall):
    agent = hall.arrive("a", target=2)
    await hall.settled()
    hall.twin.lose(Place("r", "start"))
    hall.meetings.began(lost=True)
    await hall.settled()

    assert agent.outcome.ending is Ending.LOST
    assert agent.outcome.reason == (
        "the server that keeps checkpoints lost who had arrived at 'start': arrive again"
    )


async def test_who_was_told_to_begin_again_is_not_counted(hall):
    hall.arrive("a", target=3)
    await hall.settled()
    hall.meetings.began(lost=True)
    await hall.settled()

    assert (await hall.meetings.status("r", "start")).standing.arrived == 0


async def test_a_checkpoint_that_was_deleted_is_told_to_those_who_wait(hall):
    agent = hall.arrive("a", target=2)
    await hall.settled()
    hall.twin.lose(Place("r", "start"))
    for _ in range(3):
        await hall.look()

    assert agent.outcome.ending is Ending.LOST


async def test_an_arrival_that_does_not_get_through_is_tried_again(hall):
    hall.store.error = Unavailable("away")
    agent = hall.arrive("a", target=1)
    await hall.settled()
    hall.store.error = None
    await hall.look()
    await hall.settled()

    assert agent.outcome.ending is Ending.RELEASED


async def test_an_arrival_that_does_not_get_through_for_long_is_refused(hall):
    hall.store.error = Unavailable("away")
    agent = hall.arrive("a", target=1)
    await hall.settled()
    for _ in range(16):
        await hall.move(1)
        await hall.look()

    assert isinstance(agent.error, Unavailable)
    assert agent.told == []


async def test_a_timeout_that_does_not_get_through_is_told_and_made_up_for(hall):
    agent = hall.arrive("a", target=2, timeout=SECOND)
    await hall.settled()
    hall.store.error = Unavailable("away")
    await hall.move(1)
    told = agent.outcome
    hall.store.error = None
    await hall.look()

    assert told.ending is Ending.TIMED_OUT
    assert (await hall.meetings.status("r", "start")).standing.arrived == 0


async def test_a_death_that_does_not_get_through_is_noticed_later(hall):
    stays = hall.arrive("b", target=3, policy=FAIL)
    dies = hall.arrive("a", target=3, policy=FAIL)
    await hall.settled()
    hall.store.error = Unavailable("away")
    hall.gone(dies)
    await hall.look()
    hall.store.error = None
    for _ in range(16):
        await hall.move(1)
        await hall.look()

    assert stays.outcome.broken_by == ("a",)


async def test_a_cancelled_wait_is_like_a_connection_that_is_gone(hall):
    stays = hall.arrive("b", target=3, policy=FAIL)
    wait = asyncio.create_task(hall.meetings.wait(hall.arrival("a", target=3, policy=FAIL)))
    await hall.turn()
    await hall.settled()
    wait.cancel()
    await asyncio.gather(wait, return_exceptions=True)
    await hall.settled()
    await hall.move(1.1)

    assert stays.outcome.broken_by == ("a",)


async def test_a_wait_gives_its_outcome(hall):
    one = hall.meetings.wait(hall.arrival("a", target=2))
    two = hall.meetings.wait(hall.arrival("b", target=2))

    outcomes = await asyncio.gather(one, two)

    assert [outcome.ending for outcome in outcomes] == [Ending.RELEASED] * 2


async def test_a_wait_that_is_refused_raises(hall):
    with pytest.raises(Rejected, match="target"):
        await hall.meetings.wait(hall.arrival("a", target=0))


async def test_news_of_what_nobody_here_waits_for_is_nothing(hall):
    hall.meetings.announced("checkpoint\nr\nother", Standing(State.RELEASED, 1).text())

    assert await hall.turn() is None


async def test_tending_looks_every_second(hall):
    hall.announcing = False
    agent = hall.arrive("a", target=2)
    await hall.settled()
    other = hall.gateway()
    other.arrive("b", target=2)
    await other.settled()

    tending = asyncio.create_task(hall.meetings.tend())
    async with asyncio.timeout(5):
        await agent.over.wait()
    tending.cancel()
    await asyncio.gather(tending, return_exceptions=True)

    assert agent.outcome.ending is Ending.RELEASED
