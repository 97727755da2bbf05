"""Pushing a report again must send nothing twice, and two results that look alike both."""

from datetime import timedelta

from syncsvc.cli.pushing.keys import Keys
from syncsvc.cli.pushing.sending import LARGEST_REQUEST, requests
from syncsvc.results.pushed.model import Result
from tests.support.builders import NOON


def result(external_id: str = "test", **more: object) -> Result:
    return Result(external_id=external_id, status="passed", **more)


def keys_of(*results: Result, configuration_id: str | None = None) -> list[str]:
    keys = Keys(configuration_id)
    return [keys.of(each) for each in results]


def test_the_same_results_have_the_same_keys_in_any_order():
    a, b = result("a"), result("b")

    assert keys_of(a, b, a) == [keys_of(b, a, a)[i] for i in (1, 0, 2)]


def test_results_that_look_alike_have_keys_of_their_own():
    assert len(set(keys_of(*[result()] * 5))) == 5


def test_whatever_tells_two_results_apart_is_in_the_key():
    every = [
        result("other"),
        result(message="m"),
        result(duration_ms=1),
        result(started_at=NOON),
        result(started_at=NOON + timedelta(seconds=1)),
        result(parameters={"a": "1"}),
        Result(external_id="test", status="failed"),
    ]

    assert len({keys_of(each)[0] for each in [result(), *every]}) == 8


def test_the_same_report_for_another_configuration_is_another_result():
    assert keys_of(result(), configuration_id="c") != keys_of(result(), configuration_id="f")


def test_a_key_is_within_its_limit():
    assert len(keys_of(result("x" * 1000))[0]) <= 200


def test_a_request_has_a_thousand_results_at_most():
    sizes = [len(each) for each in requests(result(f"t{n}") for n in range(2500))]

    assert sizes == [1000, 1000, 500]


def test_large_results_go_in_smaller_requests():
    every = list(requests(result(message="m" * 900_000) for _ in range(20)))

    assert sum(len(each) for each in every) == 20
    assert all(sum(len(bytes(raw)) for raw in each) <= LARGEST_REQUEST for each in every)


def test_nothing_makes_no_request():
    assert list(requests([])) == []
