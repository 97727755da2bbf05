"""Whatever happens between and during syncs, a list that counts as whole is stored whole."""

from hypothesis import given, settings
from hypothesis import strategies as st

from syncsvc.catalogue.model import SyncOptions
from syncsvc.catalogue.walk import WalkTerms
from tests.support.catalogue import a_test
from tests.support.walking import Household

TERMS = WalkTerms(page_size=6, pages_a_turn=3)
FORCED = SyncOptions(force_refresh=True, allow_vanishing=True)

grows = st.tuples(st.just("grow"), st.integers(1, 40))
is_killed = st.tuples(st.just("kill"), st.integers(0, 12))
shrinks = st.tuples(st.just("shrink"), st.integers(0, 1000))
shrinks_meanwhile = st.tuples(st.just("shrink meanwhile"), st.integers(1, 9))
grows_meanwhile = st.tuples(st.just("grow meanwhile"), st.integers(1, 9))
is_forced = st.tuples(st.just("force"), st.integers(0, 12))
completes = st.tuples(st.just("complete"), st.none())


class World:
    """Tests come at the top, several of which may end together, and go anywhere."""

    def __init__(self, tie: int) -> None:
        self.tie = tie
        self.newest = 0
        self.house = Household(TERMS)

    def grow(self, number: int) -> None:
        for _ in range(number):
            self.newest += 1
            end_at = a_test(self.newest - self.newest % self.tie).end_at
            self.house.has(self.newest, end_at=end_at)

    def shrink(self, number: int) -> None:
        if self.house.tests:
            self.house.loses(self.house.tests[number % len(self.house.tests)].id)

    async def do(self, what: str, number: int) -> None:
        if what in ("grow", "shrink"):
            getattr(self, what)(number)
        elif what.endswith("meanwhile"):
            await self.sync_while(number, getattr(self, what.split(maxsplit=1)[0]))
        else:
            options = FORCED if what == "force" else None
            await self.house.sync(options=options, killed_at=number)

    async def sync_while(self, every, change) -> None:
        """Change the list between the calls of a sync; it stands still after a while."""
        left = iter(range(10))

        def meanwhile(_) -> None:
            if len(self.house.source.log) % every == 0 and next(left, None) is not None:
                change(len(self.house.source.log) * 7 % 13)

        self.house.source.meanwhile = meanwhile
        await self.house.sync()
        self.house.source.meanwhile = None

    def is_honest(self) -> bool:
        """Tell whether nothing is missing within a segment, or below the end that was seen."""
        coverage, missing = self.house.coverage, self.house.there - self.house.stored
        ends = [each.end_at for each in self.house.tests if each.id in missing]
        return not any(
            (number == len(coverage.segments) - 1 and coverage.complete and end < segment.top.end)
            or segment.bottom.end < end < segment.top.end
            for number, segment in enumerate(coverage.segments)
            for end in ends
        )


@given(
    st.lists(st.one_of(grows, is_killed, is_forced, completes), max_size=12),
    st.sampled_from([1, 2, 7]),
)
@settings(deadline=None, max_examples=150)
async def test_growth_and_interruptions_leave_nothing_out(events, tie):
    world = World(tie)
    world.grow(20)
    for what, number in events:
        await world.do(what, number)
        assert world.is_honest()

    await world.house.sync()

    assert world.house.coverage.is_whole
    assert world.house.stored == world.house.there


@given(
    st.lists(
        st.one_of(grows, shrinks, is_killed, completes, shrinks_meanwhile, grows_meanwhile),
        max_size=12,
    )
)
@settings(deadline=None, max_examples=150)
async def test_no_test_is_lost_to_others_that_go_or_come_meanwhile(events):
    world = World(1)
    world.grow(40)
    for what, number in events:
        await world.do(what, number)

    await world.house.sync()
    await world.house.sync()

    assert world.house.coverage.is_whole
    assert world.house.there <= world.house.stored


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)), max_size=6))
@settings(deadline=None, max_examples=100)
async def test_a_floor_hides_nothing_from_a_later_sync(rounds):
    world = World(1)
    world.grow(20)
    for minutes, kill in rounds:
        world.grow(minutes % 15)
        since = a_test(minutes).end_at
        await world.house.sync(since=since)
        missing = world.house.there - world.house.stored
        assert all(a_test(each).end_at < since for each in missing)
        await world.house.sync(killed_at=kill)

    await world.house.sync()

    assert world.house.stored == world.house.there
