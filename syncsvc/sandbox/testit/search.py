"""Which results a filter means; only what it names is looked at, as a search goes through many."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from syncsvc.sandbox.testit.library import Autotest, Library, matches_any
from syncsvc.sandbox.testit.model import Result
from syncsvc.sandbox.testit.parts import utc
from syncsvc.sandbox.testit.requests import Moments, ResultFilter, Selector
from syncsvc.sandbox.testit.runs import Runs
from syncsvc.sandbox.testit.statuses import outcome_of

Test = Callable[[Result], bool]
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_T = TypeVar("_T")


def searched(runs: Runs, wanted: ResultFilter) -> list[Result]:
    """Find what a filter means among the results of the runs it names, or of all."""
    run_ids = wanted.test_run_ids or [run.id for run in runs]
    numbers = wanted.auto_test_global_ids
    if numbers is None:
        return found(runs.library, runs.all_results(run_ids), wanted)
    tests = [runs.library.numbered(number) for number in dict.fromkeys(numbers)]
    ids = [test.id for test in tests if test is not None]
    return found(runs.library, runs.results_of_tests(run_ids, ids), wanted)


def found(library: Library, results: Iterable[Result], wanted: ResultFilter) -> list[Result]:
    """Keep what every part of the filter lets through."""
    tests = [*_of_results(wanted), *_of_autotests(library, wanted)]
    return [each for each in results if all(test(each) for test in tests)]


def chosen(
    library: Library, results: Sequence[Result], selector: Selector | None
) -> Sequence[Result]:
    """Keep what a selector names; without one, everything is meant."""
    if selector is None:
        return results
    results = found(library, results, selector.filter or ResultFilter())
    ids = selector.test_result_ids_extraction_model
    if ids is None:
        return results
    included, excluded = [*_among(ids.include, lambda each: each.id)], set(ids.exclude or ())
    return [
        each for each in results if all(test(each) for test in included) and each.id not in excluded
    ]


def _of_results(wanted: ResultFilter) -> Iterator[Test]:
    codes = wanted.status_codes
    lowered = None if codes is None else [code.casefold() for code in codes]
    yield from _among(wanted.test_run_ids, lambda each: each.run_id)
    yield from _among(wanted.configuration_ids, lambda each: each.configuration_id)
    yield from _among(wanted.status_types, lambda each: each.status.type)
    yield from _among(lowered, lambda each: each.status.code.casefold())
    yield from _among(wanted.outcomes, lambda each: outcome_of(each.status))
    yield from _within(wanted.created_date, lambda each: each.created)
    yield from _within(wanted.modified_date, lambda each: each.modified)


def _of_autotests(library: Library, wanted: ResultFilter) -> Iterator[Test]:
    def test_of(result: Result) -> Autotest:
        return library.autotests[result.autotest_id]

    yield from _among(wanted.auto_test_global_ids, lambda each: test_of(each).global_id)
    tags, name = wanted.auto_test_tags, (wanted.name or "").casefold()
    if tags is not None:
        yield lambda each: matches_any(tags, test_of(each).written.tags or ())
    if name:
        yield lambda each: name in test_of(each).written.name.casefold()
    yield from _among(_one(wanted.namespace), lambda each: test_of(each).written.namespace)
    yield from _among(_one(wanted.class_name), lambda each: test_of(each).written.classname)


def _one(value: str | None) -> Sequence[str] | None:
    return None if value is None else [value]


def _among(wanted: Collection[_T] | None, of: Callable[[Result], _T | None]) -> Iterator[Test]:
    """Test that something of a result is in a list; without a list there is no test."""
    if wanted is not None:
        allowed = frozenset(wanted)
        yield lambda each: of(each) in allowed


def _within(wanted: Moments | None, of: Callable[[Result], datetime]) -> Iterator[Test]:
    if wanted is not None:
        first, last = utc(wanted.from_) or _EARLIEST, utc(wanted.to) or _LATEST
        yield lambda each: first <= of(each) <= last
