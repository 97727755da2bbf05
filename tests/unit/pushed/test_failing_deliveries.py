"""What fails is tried again or is dead with a reason; poison never blocks the others."""

from dataclasses import replace
from datetime import timedelta
from math import ceil, log2

import pytest

from syncsvc.errors import Denied, Rejected, Unavailable
from syncsvc.results.held.model import EntryState
from syncsvc.results.pushed.model import AttachmentRef
from tests.support.builders import MINUTE, SECOND
from tests.support.pushed import AFTER_CLAIM, TERMS, Fate, pushed


async def test_an_unavailable_test_it_is_asked_again_with_growing_pauses(open_house):
    await open_house.accept("one")
    open_house.board.fate = lambda _call: Unavailable("503")
    pauses = []

    for _ in range(3):
        await open_house.tick()
        pauses.append(open_house.entry("one").due_at - open_house.clock())
        open_house.clock.now = open_house.entry("one").due_at

    assert pauses == [SECOND, 2 * SECOND, 4 * SECOND]
    assert (open_house.entry("one").attempt, open_house.entry("one").reason) == (3, "503")


async def test_a_pause_that_test_it_asks_for_is_kept(open_house):
    await open_house.accept("one")
    open_house.board.fate = lambda _call: Unavailable("429", retry_after=MINUTE)

    await open_house.tick()

    assert open_house.entry("one").due_at == open_house.clock() + MINUTE


async def test_what_fails_for_a_day_is_dead_with_the_last_reason(open_house):
    await open_house.accept("one")
    open_house.board.fate = lambda _call: Unavailable("503")
    open_house.clock.pass_(TERMS.give_up_after - SECOND)

    await open_house.delivery.deliver_due()
    assert open_house.entry("one").state is EntryState.PENDING
    open_house.clock.pass_(MINUTE)
    await open_house.delivery.deliver_due()

    assert open_house.entry("one").state is EntryState.DEAD
    assert open_house.entry("one").reason == "503"


async def test_a_revived_result_has_a_whole_day_again(open_house):
    await open_house.accept("one")
    open_house.board.fate = lambda _call: Unavailable("503")
    open_house.clock.pass_(TERMS.give_up_after)
    await open_house.delivery.deliver_due()

    await open_house.outbox.revive(None, None, open_house.clock())
    await open_house.delivery.deliver_due()

    assert open_house.entry("one").state is EntryState.PENDING


async def test_a_token_that_is_refused_kills_nothing_and_is_tried_again_each_minute(open_house):
    await open_house.accept("one", "two")
    open_house.board.fate = lambda _call: Denied("401: check the token")

    await open_house.tick()

    for name in ("one", "two"):
        entry = open_house.entry(name)
        assert (entry.state, entry.reason) == (EntryState.PENDING, "401: check the token")
        assert entry.due_at == open_house.clock() + MINUTE
    open_house.board.fate = lambda _call: Fate.WELL
    assert await open_house.tick(MINUTE) == 2


@pytest.mark.parametrize("kind", ["poison", "bad_tests"])
async def test_poison_is_dead_with_its_reason_and_the_others_are_delivered(open_house, kind):
    names = [f"test {number:02}" for number in range(100)]
    poison = {"test 07", "test 08", "test 93"}
    setattr(open_house.board, kind, poison)
    await open_house.accept(*names)

    settled = await open_house.tick()

    assert settled == 100
    assert set(open_house.board.shows()) == {"opener", *names} - poison
    assert sorted(open_house.board.marks().values()) == [1] * 98
    for name in poison:
        assert open_house.entry(name).state is EntryState.DEAD
        assert name in open_house.entry(name).reason
    asked = "post" if kind == "poison" else "ensure_autotests"
    assert open_house.board.calls.count(asked) <= 2 * len(poison) * ceil(log2(100)) + 1


async def test_poison_at_the_opening_lets_a_good_one_hold_the_run(house):
    house.board.poison = {"first"}
    await house.accept("first", "second", "third")
    await house.complete()

    await house.tick()

    assert house.entry("first").state is EntryState.DEAD
    assert house.board.shows() == {"second": "Succeeded", "third": "Succeeded"}
    assert house.board.runs["run"].closings == 1


async def test_a_run_that_is_unknown_makes_all_dead_with_that_reason(house):
    del house.board.runs["run"]
    await house.accept("one", "two")

    await house.tick()

    assert house.states() == {EntryState.DEAD: 2}
    assert house.entry("one").reason == "run run is unknown"


@pytest.mark.parametrize("state", ["Completed", "Stopped"])
async def test_a_run_that_is_over_parks_all_with_what_to_do_and_in_few_requests(open_house, state):
    open_house.board.runs["run"].state = state
    await open_house.accept(*[f"test {number}" for number in range(100)])

    await open_house.tick()

    assert open_house.states()[EntryState.DEAD] == 100
    reason = open_house.entry("test 1").reason
    assert f"run run is {state} in Test IT" in reason
    assert "'syncsvc results retry', or push them to another run" in reason
    assert open_house.board.calls.count("post") == 3


async def test_parked_results_are_delivered_once_the_run_is_open_again(open_house):
    open_house.board.runs["run"].state = "Completed"
    await open_house.accept("one", "two")
    await open_house.tick()

    open_house.board.runs["run"].state = "InProgress"
    await open_house.outbox.revive(None, "run", open_house.clock())
    await open_house.tick()

    assert open_house.states() == {EntryState.HELD: 1, EntryState.DELIVERED: 2}


async def test_poison_for_a_run_that_takes_late_results_blocks_no_others(open_house):
    open_house.board.runs["run"].state = "Completed"
    open_house.board.takes_late = True
    open_house.board.poison = {"test 0"}
    await open_house.accept(*[f"test {number}" for number in range(10)])

    await open_house.tick()

    assert open_house.states()[EntryState.DEAD] == 1
    assert open_house.states()[EntryState.DELIVERED] == 9


async def test_a_run_that_is_not_in_the_database_makes_its_results_dead(open_house):
    await open_house.accept("one")
    open_house.runs.rows.clear()

    await open_house.delivery.deliver_due()

    assert "not in the database" in open_house.entry("one").reason


async def test_a_result_without_a_configuration_is_dead_and_the_others_are_not(open_house):
    push = await open_house.outbox.push("run")
    open_house.outbox.pushes["run"] = replace(push, configuration_id=None)
    await open_house.accept("nowhere", pushed("somewhere", configuration_id="configuration"))

    await open_house.tick()

    assert open_house.entry("nowhere").state is EntryState.DEAD
    assert "configuration_id: expected" in open_house.entry("nowhere").reason
    assert open_house.entry("somewhere").state is EntryState.DELIVERED


async def test_something_unexpected_in_one_batch_is_tried_again_like_any_failure(open_house):
    await open_house.accept("one")
    original = open_house.board.post

    async def breaks(*_request):
        raise KeyError("surprise")

    open_house.board.post = breaks
    await open_house.tick()
    assert open_house.entry("one").reason == "unexpected KeyError('surprise')"
    open_house.board.post = original
    await open_house.tick(AFTER_CLAIM)

    assert open_house.entry("one").state is EntryState.DELIVERED


async def test_one_that_breaks_our_code_is_tried_again_alone_and_the_others_are_there(open_house):
    names = [f"test {number}" for number in range(5)]
    open_house.board.breaking = {"test 2"}
    await open_house.accept(*names)

    assert await open_house.tick() == 4

    entry = open_house.entry("test 2")
    assert (entry.state, entry.reason) == (EntryState.PENDING, "unexpected KeyError('test 2')")
    assert set(open_house.board.shows()) == {"opener", *names} - {"test 2"}
    assert set(open_house.board.marks().values()) == {1}
    open_house.board.breaking = set()
    assert await open_house.tick(AFTER_CLAIM) == 1


async def test_one_that_breaks_our_code_at_the_opening_leaves_the_run_open_for_itself(house):
    house.board.breaking = {"test 0"}
    await house.accept("test 0", "test 1", "test 2")
    await house.complete()

    await house.tick()

    assert house.board.shows() == {"test 1": "InProgress", "test 2": "Succeeded"}
    house.board.breaking = set()
    await house.tick(AFTER_CLAIM)
    assert house.board.runs["run"].state == "Completed"
    assert len(house.board.shows()) == 3


async def test_what_breaks_our_code_after_it_was_posted_is_not_posted_again(open_house):
    open_house.board.breaking, open_house.board.breaks_after = {"test 2"}, True
    await open_house.accept("test 1", "test 2", "test 3")

    assert await open_house.tick() == 3

    assert set(open_house.board.marks().values()) == {1}


async def test_a_test_it_that_goes_away_while_each_is_tried_alone_is_asked_no_further(open_house):
    open_house.board.breaking = {"test 0"}
    await open_house.accept(*[f"test {number}" for number in range(9)])
    posted = iter([Fate.WELL])
    open_house.board.fate = lambda call: next(posted, Fate.REFUSED) if call == "post" else Fate.WELL

    assert await open_house.tick() == 1

    assert open_house.states()[EntryState.PENDING] == 8
    assert len(open_house.board.posts) == 1
    assert "503" in open_house.entry("test 8").reason


async def test_what_breaks_our_code_for_a_day_is_dead_with_that_reason(open_house):
    open_house.board.breaking = {"one"}
    await open_house.accept("one", "two")

    await open_house.tick(TERMS.give_up_after)

    entry = open_house.entry("one")
    assert (entry.state, entry.reason) == (EntryState.DEAD, "unexpected KeyError('one')")
    assert open_house.entry("two").state is EntryState.DELIVERED


class TestAttachments:
    DIGEST = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # of hello

    async def keep(self, house):
        async def content():
            yield b"hel"
            yield b"lo"

        await house.files.keep("run", self.DIGEST, content(), house.clock())

    def with_file(self, external_id: str, name: str = "log.txt"):
        return pushed(external_id, attachments=(AttachmentRef(digest=self.DIGEST, name=name),))

    async def test_a_file_of_several_results_is_sent_once(self, open_house):
        await self.keep(open_house)
        await open_house.accept(self.with_file("one"), self.with_file("two"))

        await open_house.tick()

        ((file_id, content),) = open_house.board.uploads.items()
        assert content == b"hello"
        rows = [row for row in open_house.board.rows() if row.external_id in {"one", "two"}]
        assert [row.attachments for row in rows] == [(file_id,), (file_id,)]

    async def test_a_file_that_is_there_is_not_sent_again_by_a_later_batch(self, open_house):
        await self.keep(open_house)
        await open_house.accept(self.with_file("one"))
        await open_house.tick()

        await open_house.accept(self.with_file("two"))
        await open_house.tick()

        assert open_house.board.calls.count("upload") == 1
        assert open_house.entry("two").state is EntryState.DELIVERED

    async def test_a_file_that_is_refused_makes_its_results_dead_by_name(self, open_house):
        await self.keep(open_house)
        open_house.board.bad_files = {"log.txt"}
        await open_house.accept(self.with_file("one"), "two")

        await open_house.tick()

        assert open_house.entry("one").state is EntryState.DEAD
        assert "attachment 'log.txt': Test IT does not take" in open_house.entry("one").reason
        assert open_house.entry("two").state is EntryState.DELIVERED

    async def test_a_file_that_is_gone_makes_its_results_dead_by_name(self, open_house):
        await self.keep(open_house)
        await open_house.accept(self.with_file("one"), "two")
        open_house.outbox.uploads.clear()

        await open_house.tick()

        assert "attachment 'log.txt'" in open_house.entry("one").reason
        assert open_house.entry("two").state is EntryState.DELIVERED

    async def test_a_token_that_is_refused_for_a_file_kills_nothing(self, open_house):
        await self.keep(open_house)
        await open_house.accept(self.with_file("one"))
        open_house.board.fate = lambda _call: Denied("403")

        await open_house.tick()

        assert open_house.entry("one").state is EntryState.PENDING


async def test_a_look_that_is_refused_for_good_leaves_nothing_in_doubt_for_ever(open_house):
    fates = {"post": Fate.UNHEARD, "shown": Rejected("no such search")}
    await open_house.accept("one", "two")
    open_house.board.fate = lambda call: fates.get(call, Fate.WELL)
    await open_house.tick()

    await open_house.tick(timedelta(minutes=2))

    assert open_house.states()[EntryState.DEAD] == 2
    assert open_house.entry("one").reason == "no such search"
