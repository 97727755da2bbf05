"""Load tests and steps are found by name, by id, or by how an id begins."""

import pytest

from syncsvc.cli.loadtests.naming import before_meant, load_test_meant, step_meant
from syncsvc.errors import Rejected, Unknown
from syncsvc.loadtests.memory import MemoryLoadTests
from syncsvc.loadtests.memory_rows import Shelf
from syncsvc.loadtests.showing import Showing
from tests.support.builders import MINUTE, NOON
from tests.support.load_tests import a_step, a_test

OLD, NEW, NEXT = "01a1feb4aaaa0000", "01a1feb4bbbb0000", "01a1feb5cccc0000"


@pytest.fixture
async def showing() -> Showing:
    tests = MemoryLoadTests(Shelf())
    for minute, (its_id, name, steps) in enumerate(
        [(OLD, "nightly", ["a"]), (NEW, "nightly", ["b"]), (NEXT, "weekly", ["c", "d"])]
    ):
        test = a_test(its_id, name=name, created_at=NOON + minute * MINUTE)
        some = [a_step(f"{its_id}-{each}", name=each, test_id=its_id) for each in steps]
        await tests.register(test, some)
    return Showing(tests, None, None)


@pytest.mark.parametrize(
    ("text", "its_id"),
    [("nightly", NEW), ("weekly", NEXT), (OLD, OLD), (OLD[:9], OLD), (NEXT[:8].upper(), NEXT)],
)
async def test_of_one_name_the_newest_is_meant_and_how_an_id_begins_is_enough(
    showing, text, its_id
):
    assert (await load_test_meant(showing, text, "NAME")).test.id == its_id
    assert (await before_meant(showing, OLD[:9])) == OLD


async def test_how_several_ids_begin_is_refused(showing):
    with pytest.raises(Rejected, match=r"^NAME: expected how one id begins, found several"):
        await load_test_meant(showing, "01a1feb4", "NAME")


@pytest.mark.parametrize("text", ["nope", "01a1feb6", "01a1"])
async def test_what_is_there_is_listed_where_a_name_is_not(showing, text):
    with pytest.raises(Unknown, match=f"one of 'weekly', 'nightly', found '{text}'$"):
        await load_test_meant(showing, text, "NAME")


@pytest.mark.parametrize(
    ("text", "step", "name"),
    [("nightly", None, "b"), (OLD[:9], None, "a"), ("weekly", "d", "d"), (f"{OLD}-a", None, "a")],
)
async def test_a_step_is_found_by_its_load_test_or_itself(showing, text, step, name):
    assert (await step_meant(showing, text, step)).name == name


async def test_of_several_steps_one_must_be_named(showing):
    with pytest.raises(Rejected, match="name one of 'c', 'd'"):
        await step_meant(showing, "weekly", None)
