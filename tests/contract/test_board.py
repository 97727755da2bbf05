"""What every home of the blackboard promises."""

import asyncio
import uuid
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncsvc.coordination.board.model import Change, Fence, Outcome
from syncsvc.coordination.board.service import BoardService
from syncsvc.coordination.leases.model import Lease, LeaseKind, Wish
from syncsvc.coordination.leases.redis import RedisLeases
from syncsvc.coordination.leases.service import LeaseService
from syncsvc.coordination.once import REMEMBERED, RETRIED, Once, once
from syncsvc.coordination.waiting import LOOK_AGAIN
from syncsvc.errors import Conflict, SyncsvcError, TooLarge, Unknown
from tests.contract.coordination_homes import LIFE, MemoryHome, open_home, redis_home
from tests.support.builders import MINUTE, SECOND

SOON = LOOK_AGAIN - 0.5  # seconds; whoever is not woken up would find it by itself a little later
LONG = 60.0  # seconds that no test waits


@pytest.fixture(params=["memory", "redis"])
async def home(request):
    async with open_home(request.param, lambda: request.getfixturevalue("valkey_url")) as home:
        yield home


@pytest.fixture
def board(home):
    return BoardService(home.board(), home.signals)


def put(name="n", value="1", *, request=None, **more) -> Change:
    return Change(name, value, once("data.put", name, request), **more)


def delete(name="n", *, request=None, **more) -> Change:
    return Change(name, None, once("data.delete", name, request), **more)


async def test_what_was_put_is_there_with_its_version_and_worker(board, run_id):
    version = await board.change(run_id, put(value='{"a": [1, "ä🙂"]}', worker="wörker"))

    state = await board.get(run_id, "n")
    assert (state.value, state.worker) == ('{"a": [1, "ä🙂"]}', "wörker")
    assert state.version == version > 0


async def test_what_is_not_there_is_unknown_by_name(board, run_id):
    with pytest.raises(Unknown, match=r"name: .* 'nothing'"):
        await board.get(run_id, "nothing")
    with pytest.raises(Unknown, match=r"name: .* 'nothing'"):
        await board.change(run_id, delete("nothing"))


async def test_versions_only_grow_also_over_deletions_and_names(board, run_id):
    versions = [
        await board.change(run_id, change)
        for change in (put(), put("other"), delete(), put(), delete(), put())
    ]

    assert versions == sorted(set(versions))


async def test_a_run_sees_nothing_of_another(board, run_id):
    await board.change(run_id, put())

    with pytest.raises(Unknown):
        await board.get(run_id + "{2}", "n")


async def test_a_change_for_another_version_is_refused_with_both(board, run_id):
    version = await board.change(run_id, put())

    with pytest.raises(Conflict, match=f"if_version: expected {version + 1}, found {version}"):
        await board.change(run_id, put(value="2", if_version=version + 1))
    with pytest.raises(Conflict, match=f"if_version: expected {version + 1}, found {version}"):
        await board.change(run_id, delete(if_version=version + 1))

    assert (await board.get(run_id, "n")).value == "1"


async def test_version_0_means_that_there_must_be_nothing(board, run_id):
    await board.change(run_id, put(if_version=0))

    with pytest.raises(Conflict, match="if_version: expected 0, found"):
        await board.change(run_id, put(if_version=0))

    await board.change(run_id, delete())
    await board.change(run_id, put(if_version=0))


async def test_of_many_that_count_by_compare_and_set_no_step_is_lost(board, run_id):
    await board.change(run_id, put(value="0"))

    async def count() -> None:
        for _ in range(5):
            await _count_one(board, run_id)

    await asyncio.gather(*(count() for _ in range(8)))

    assert (await board.get(run_id, "n")).value == "40"


async def _count_one(board: BoardService, run: str) -> None:
    while True:
        state = await board.get(run, "n")
        counted = str(int(state.value or "0") + 1)
        try:
            await board.change(run, put(value=counted, if_version=state.version))
        except Conflict:
            continue
        return


async def test_a_repeated_request_changes_once_and_gets_the_first_answer(board, run_id):
    first = await board.change(run_id, put(value="1", request="r"))
    await board.change(run_id, put(value="2"))

    assert await board.change(run_id, put(value="1", request="r")) == first
    assert (await board.get(run_id, "n")).value == "2"


async def test_a_repeated_deletion_gets_the_first_answer(board, run_id):
    await board.change(run_id, put())

    first = await board.change(run_id, delete(request="r"))

    assert await board.change(run_id, delete(request="r")) == first


async def test_a_script_that_a_connection_repeats_does_not_conflict_with_itself(home, run_id):
    store, change = home.board(), Change("n", "1", Once("id", RETRIED), if_version=0)

    (first, version), second = [await store.change(run_id, change) for _ in range(2)]

    assert (first, version) == second
    assert first is Outcome.DONE


async def test_an_entry_ends_with_its_time(home, board, run_id):
    await board.change(run_id, put(lasts=10 * MINUTE))
    home.pass_(9 * MINUTE)
    before = await board.get(run_id, "n")

    home.pass_(2 * MINUTE)

    assert before.value == "1"
    with pytest.raises(Unknown):
        await board.get(run_id, "n")
    assert await board.page(run_id, "", "", 10) == []


async def test_the_end_of_an_entry_is_a_newer_version(home, board, run_id):
    version = await board.change(run_id, put(lasts=10 * SECOND))
    home.pass_(11 * SECOND)

    gone = await board.watch(run_id, "n", version, 0)

    assert gone.was_deleted
    assert gone.version > version
    assert await board.change(run_id, put(if_version=0)) > gone.version


async def test_an_entry_without_a_time_lives_while_somebody_looks(home, board, run_id):
    await board.change(run_id, put("seen"))
    await board.change(run_id, put("forgotten"))

    for _ in range(3):
        home.pass_(LIFE - MINUTE)
        await board.get(run_id, "seen")

    assert [each.name for each in await board.page(run_id, "", "", 10)] == ["seen"]


async def test_a_watch_of_something_newer_ends_at_once(board, run_id):
    version = await board.change(run_id, put(value="7"))

    state = await board.watch(run_id, "n", 0, 0)

    assert (state.value, state.version) == ("7", version)


async def test_a_watch_that_ends_in_vain_gives_the_same_version(board, run_id):
    version = await board.change(run_id, put())

    assert (await board.watch(run_id, "n", version, 0.01)).version == version
    assert (await board.watch(run_id, "never", 0, 0)).version == 0


@pytest.mark.parametrize("change", [put(value="2"), delete()])
async def test_watching_ends_with_the_next_change(board, run_id, change):
    version = await board.change(run_id, put())
    watching = [asyncio.create_task(board.watch(run_id, "n", version, LONG)) for _ in range(20)]
    await asyncio.sleep(0)

    newer = await board.change(run_id, change)

    async with asyncio.timeout(SOON):
        states = await asyncio.gather(*watching)
    assert {(state.version, state.value) for state in states} == {(newer, change.value)}


async def test_watching_ends_when_the_entry_does(board, run_id):
    version = await board.change(run_id, put(lasts=timedelta(milliseconds=50)))

    async with asyncio.timeout(SOON):
        state = await board.watch(run_id, "n", version, LONG)

    assert state.was_deleted


async def test_a_watcher_of_what_was_lost_is_told_that_it_went(board, run_id):
    first = await board.watch(run_id, "n", 5, 0)

    assert first.was_deleted
    assert (await board.watch(run_id, "n", first.version, 0)).version == first.version


async def test_names_are_listed_in_order_page_by_page(board, run_id):
    names = ["a", "a/1", "a/2", "aé", "a🙂", "b", "\U0001f600"]
    for name in reversed(names):
        await board.change(run_id, put(name, worker="w"))

    first = await board.page(run_id, "", "", 4)
    second = await board.page(run_id, "", first[-1].name, 4)

    assert [each.name for each in [*first, *second]] == names
    assert first[0].worker == "w"
    assert [each.name for each in await board.page(run_id, "a/", "", 9)] == ["a/1", "a/2"]
    assert [each.name for each in await board.page(run_id, "a/", "a/1", 9)] == ["a/2"]
    assert [each.name for each in await board.page(run_id, "a/", "A", 9)] == ["a/1", "a/2"]
    assert list(await board.page(run_id, "a/", "b", 9)) == []


async def test_a_deleted_name_is_not_listed(board, run_id):
    await board.change(run_id, put())
    await board.change(run_id, delete())

    assert list(await board.page(run_id, "", "", 9)) == []


async def test_a_full_board_takes_changes_but_no_new_name(home, run_id):
    board = BoardService(home.board(most_entries=2), home.signals)
    await board.change(run_id, put("a"))
    await board.change(run_id, put("b", lasts=MINUTE))

    with pytest.raises(Conflict, match="at most 2 entries"):
        await board.change(run_id, put("c"))
    await board.change(run_id, put("a", "2"))
    home.pass_(2 * MINUTE)

    await board.change(run_id, put("c"))


async def test_a_value_has_a_limit(board, run_id):
    await board.change(run_id, put(value=f'"{"x" * (1024 * 1024 - 2)}"'))

    with pytest.raises(TooLarge, match="value: expected at most 1048576 bytes"):
        await board.change(run_id, put(value=f'"{"x" * (1024 * 1024 - 1)}"'))


@pytest.mark.parametrize("kind", ["leader", "lock"])
async def test_only_the_newest_token_of_a_lease_passes_the_fence(home, board, run_id, kind):
    await home.grant(run_id, kind, "db", 7)
    await board.change(run_id, put(fence=Fence(kind, "db", 7)))

    await home.grant(run_id, kind, "db", 8)

    with pytest.raises(Conflict, match=r"fence\.token: expected 8, .* found 7"):
        await board.change(run_id, put(value="2", fence=Fence(kind, "db", 7)))
    with pytest.raises(Conflict, match=r"fence\.token"):
        await board.change(run_id, delete(fence=Fence(kind, "db", 7)))
    await board.change(run_id, put(value="3", fence=Fence(kind, "db", 8)))
    assert (await board.get(run_id, "n")).value == "3"


async def test_a_lease_that_was_never_granted_lets_nobody_pass(board, run_id):
    for token in (0, 7):
        with pytest.raises(Conflict, match="never granted"):
            await board.change(run_id, put(fence=Fence("lock", "db", token)))


async def test_whoever_lost_a_lock_cannot_write_behind_its_fence(valkey_url, run_id):
    async with redis_home(valkey_url) as home:
        board, leases = BoardService(home.board(), home.signals), RedisLeases(home.scripts, LIFE)
        lock = Lease(run_id, LeaseKind.LOCK, "db")
        locks = LeaseService(leases, home.signals, lambda: uuid.uuid4().hex)
        first = await locks.acquire(lock, Wish("a", 5 * SECOND), 0)
        await board.change(run_id, put(value="1", fence=Fence("lock", "db", first.mine.token)))
        leases.clock_shift = 6 * SECOND
        second = await locks.acquire(lock, Wish("b", 5 * SECOND), 0)

        with pytest.raises(Conflict, match=r"fence\.token"):
            await board.change(run_id, put(value="2", fence=Fence("lock", "db", first.mine.token)))

        await board.change(run_id, put(value="3", fence=Fence("lock", "db", second.mine.token)))


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["put", "delete"]),
            st.sampled_from("ab"),
            st.sampled_from([None, 0, "known", "old"]),
            st.sampled_from([None, None, None, "r"]),
            st.sampled_from([None, 5, 60]),
        ),
        st.tuples(st.just("pass"), st.sampled_from([1, 5, 60, 50_000])),
        st.tuples(st.just("watch"), st.sampled_from("ab"), st.sampled_from([0, "known", "old"])),
        st.tuples(st.just("list")),
    ),
    max_size=25,
)


class Player:
    """Plays steps on one home and notes what is the same in all: versions become their order."""

    def __init__(self, home, run: str) -> None:
        self.home, self.run = home, run
        self.board = BoardService(home.board(), home.signals)
        self.known: dict[str, list[int]] = {"a": [], "b": []}
        self.order: dict[int, int] = {0: 0}

    async def play(self, steps) -> list[object]:
        return [await self._answer(*step) for step in steps]

    async def _answer(self, what: str, *rest) -> object:
        try:
            return await getattr(self, f"_{what}")(*rest)
        except SyncsvcError as error:
            return type(error)

    def _version(self, name: str, which) -> int | None:
        if which in (None, 0):
            return which
        versions = self.known[name] or [3]
        return versions[-1] if which == "known" else versions[0]

    def _seen(self, name: str, version: int) -> int:
        self.known[name].append(version)
        return self.order.setdefault(version, len(self.order))

    async def _put(self, name, if_version, request, lasts) -> int:
        lasts = lasts and timedelta(seconds=lasts)
        version = self._version(name, if_version)
        change = put(name, str(version is None), request=request, if_version=version, lasts=lasts)
        return self._seen(name, await self.board.change(self.run, change))

    async def _delete(self, name, if_version, request, _lasts) -> int:
        change = delete(name, request=request, if_version=self._version(name, if_version))
        return self._seen(name, await self.board.change(self.run, change))

    async def _pass(self, seconds) -> None:
        self.home.pass_(timedelta(seconds=seconds))

    async def _watch(self, name, known) -> object:
        state = await self.board.watch(self.run, name, self._version(name, known) or 0, 0)
        return self._seen(name, state.version) if state.version else 0, state.value

    async def _list(self) -> object:
        return [each.name for each in await self.board.page(self.run, "", "", 10)]


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_any_sequence_gives_the_same_answers_in_every_home(valkey_url, steps):
    async def play() -> None:
        run = uuid.uuid4().hex
        async with redis_home(valkey_url) as redis:
            there = await Player(redis, run).play(steps)
        assert await Player(MemoryHome(), run).play(steps) == there

    asyncio.run(play())


def test_an_answer_is_remembered_for_as_long_as_a_caller_may_ask_again():
    assert once("data.put", "n", "r").life == REMEMBERED
    assert once("data.put", "n", None).life == RETRIED
