"""Whatever is asked about load tests, no answer is a 500."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as depth
from hypothesis import strategies as some

from tests.support.kubernetes import NAMESPACE, a_kubernetes
from tests.support.watched import SYNC_JOB, TESTS, Watched, watching

WORDS = some.text(max_size=12) | some.sampled_from(["main", NAMESPACE, "*", "app=k6", "load"])
FIELDS = some.sampled_from(
    ["name", "steps", "test_run", "labels", "selector", "cluster", "action", "intervalSeconds"]
)
ANYTHING = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False, allow_infinity=False)
    | WORDS,
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(FIELDS | WORDS, inner, max_size=4)
    ),
    max_leaves=10,
)
ASKED = ["status", "limit", "before", "text", "since", "grep", "role", "runner", "raw", "after"]
GIVEN = ["10m", "1", "9" * 30, "runner", "true", "[a", "a{3}", "0001-01-01", "x" * 5000]
QUERIES = some.dictionaries(some.sampled_from(ASKED), WORDS | some.sampled_from(GIVEN), max_size=3)
EXAMPLES = 60


def examples(strategy: some.SearchStrategy[Any]) -> list[Any]:
    """Draw some, the same each time, to ask with on the test's own loop."""
    found: list[Any] = []

    @depth(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(strategy)
    def draw(example: Any) -> None:
        found.append(example)

    draw()
    return found


@pytest.fixture
async def k8s():
    async with a_kubernetes() as world:
        yield world


@pytest.fixture
async def settings(settings, k8s):
    return await watching(settings, k8s)


@pytest.mark.parametrize("path", [TESTS, f"{TESTS}/discover", SYNC_JOB])
async def test_a_body_is_taken_or_its_mistake_is_told(api, path):
    answers = [await api.post(path, json=body) for body in examples(ANYTHING)]

    assert {answer.status_code for answer in answers} <= {200, 400, 404}


async def test_a_query_is_taken_or_its_mistake_is_told(api, k8s):
    await Watched(api, k8s).watch("load")
    paths = ["", "/steps/load", "/steps/load/log", "/compare", "/cycles"]

    answers = [
        await api.get(TESTS + path, params=query) for path in paths for query in examples(QUERIES)
    ]

    assert {answer.status_code for answer in answers} <= {200, 400, 404}


async def test_a_path_is_taken_or_its_mistake_is_told(api):
    names = ["%00", "%ff", "%F0%9F%98%80", "..", "%2e%2e", "a b", "x" * 5000]

    answers = [await api.get(f"{TESTS}/{path}{name}") for path in ("", "steps/") for name in names]

    assert {answer.status_code for answer in answers} <= {200, 400, 404, 405}
