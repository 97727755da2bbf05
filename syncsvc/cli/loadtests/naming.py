"""Load tests and steps as a person names them: by a name, an id, or how an id begins.

Of load tests with one name the newest is meant.
"""

import re

from syncsvc.errors import Rejected, Unknown
from syncsvc.loadtests.model import LoadTest, Step
from syncsvc.loadtests.names import check_text
from syncsvc.loadtests.ports import Which
from syncsvc.loadtests.showing import Showing, Shown

SHORTEST = 8  # signs of an id that may stand for all of it
PAGE, PAGES = 500, 20  # of tests that are looked through for an id
LISTED = 10  # names in an error
NONE_YET = "no load test is watched yet: begin with 'syncsvc k6 watch NAME TESTRUN'"


async def load_test_meant(showing: Showing, text: str, option: str) -> Shown:
    """Find a load test. Raises Unknown that lists what is there, Rejected where several fit."""
    check_text(option, text)
    try:
        return await showing.test(text)
    except Unknown:
        found = await _beginning(showing, text.lower(), option)
        if found is None:
            raise Unknown(await _what_is_there(showing, text, option)) from None
        return await showing.test(found.id)


async def step_meant(showing: Showing, text: str, step: str | None) -> Step:
    """Find a step: by its id, its TestRun, or its load test (and `step`, its name there).

    Raises Unknown that lists what is there, Rejected where a load test has several.
    """
    check_text("NAME", text)
    if step is None:
        try:
            return await showing.step(text)
        except Unknown:
            pass  # it may be how an id begins
    shown = await load_test_meant(showing, text, "NAME")
    return await showing.step(shown.test.id, step)


async def before_meant(showing: Showing, text: str | None) -> str | None:
    """Give the id of the load test that a list goes on after. Raises Unknown, Rejected."""
    if text is None:
        return None
    found = await _beginning(showing, text.lower(), "--before")
    if found is None:
        raise Unknown(
            "--before: expected the id of a load test, or how it begins, as 'k6 list' shows it, "
            f"found {text[:80]!r}"
        )
    return found.id


async def _beginning(showing: Showing, start: str, option: str) -> LoadTest | None:
    """Find the test whose id begins so; ids sort by the moment they were given at."""
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},32}}", start):
        return None
    found: list[LoadTest] = []
    before = None
    for _ in range(PAGES):
        page = await showing.tests.tests(Which(limit=PAGE, before=before))
        found += [test for test in page if test.id.startswith(start)]
        if len(page) < PAGE or page[-1].id[: len(start)] < start:
            break
        before = page[-1].id
    if len(found) > 1:
        raise Rejected(f"{option}: expected how one id begins, found several: {start!r}")
    return found[0] if found else None


async def _what_is_there(showing: Showing, text: str, option: str) -> str:
    tests = await showing.tests.tests(Which(limit=LISTED + 1))
    if not tests:
        return f"{option}: found {text[:80]!r}, but {NONE_YET}"
    names = list(dict.fromkeys(repr(test.name) for test in tests[:LISTED]))
    more = ", ... ('syncsvc k6 list' has all)" if len(tests) > LISTED else ""
    return (
        f"{option}: expected the name or the id of a load test, one of {', '.join(names)}{more}, "
        f"found {text[:80]!r}"
    )
