"""Which results a filter means."""

from collections.abc import Iterable, Sequence

from syncsvc.sandbox.testit.library import Library, matches_any
from syncsvc.sandbox.testit.model import Result
from syncsvc.sandbox.testit.requests import ResultFilter, Selector
from syncsvc.sandbox.testit.statuses import outcome_of


def found(library: Library, results: Iterable[Result], wanted: ResultFilter) -> list[Result]:
    """Keep what every part of the filter lets through."""
    return [each for each in results if _matches(each, wanted) and _of_test(library, each, wanted)]


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
    excluded = set(ids.exclude or ())
    return [
        each for each in results if matches_any(ids.include, [each.id]) and each.id not in excluded
    ]


def _matches(result: Result, wanted: ResultFilter) -> bool:
    codes = wanted.status_codes
    lowered = None if codes is None else [code.casefold() for code in codes]
    return (
        matches_any(wanted.test_run_ids, [result.run_id])
        and matches_any(wanted.configuration_ids, [result.configuration_id])
        and matches_any(wanted.status_types, [result.status.type])
        and matches_any(lowered, [result.status.code.casefold()])
        and matches_any(wanted.outcomes, [outcome_of(result.status)])
    )


def _of_test(library: Library, result: Result, wanted: ResultFilter) -> bool:
    autotest = library.autotests[result.autotest_id]
    test = autotest.written
    return (
        matches_any(wanted.auto_test_global_ids, [autotest.global_id])
        and matches_any(wanted.auto_test_tags, test.tags or ())
        and (wanted.name or "").casefold() in test.name.casefold()
        and wanted.namespace in (None, test.namespace)
        and wanted.class_name in (None, test.classname)
    )
