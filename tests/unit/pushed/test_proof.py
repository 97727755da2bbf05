"""A result of Test IT is an entry's only where nothing else is possible."""

from datetime import timedelta

import pytest

from syncsvc.results.pushed.model import Entry
from syncsvc.results.pushed.ports import Shown
from syncsvc.results.pushed.proof import prove
from tests.support.builders import NOON
from tests.support.pushed import pushed

ENTRY = Entry("entry", "run", pushed("test"), accepted_at=NOON)


def shown(
    result_id="r1",
    *,
    external_id="test",
    status="Succeeded",
    duration=17,
    started=NOON,
    configuration="configuration",
) -> Shown:
    return Shown(result_id, external_id, status, duration, started, configuration)


def proof(*results: Shown, entry: Entry = ENTRY, contested: bool = False):
    return prove(entry, "configuration", results, contested=contested)


def test_the_only_result_that_agrees_is_its_own():
    assert proof(shown(), shown(external_id="other")).found == shown()


def test_a_result_in_progress_agrees_since_it_may_have_been_posted_so():
    assert proof(shown(status="InProgress")).found == shown(status="InProgress")


def test_configurations_are_compared_as_ids_are():
    assert proof(shown(configuration="CONFIGURATION")).found is not None


@pytest.mark.parametrize(
    "other",
    [
        shown(status="Failed"),
        shown(duration=18),
        shown(started=NOON + timedelta(seconds=1)),
        shown(duration=None, started=None),
    ],
    ids=["status", "duration", "start", "nothing told"],
)
def test_a_result_that_does_not_agree_is_doubtful(other):
    found = proof(other)

    assert found.found is None
    assert found.doubtful == [other]


def test_servers_that_cut_fractions_of_a_second_agree():
    assert proof(shown(started=NOON - timedelta(milliseconds=999))).found is not None


def test_of_several_results_none_is_sure_and_the_likeliest_is_looked_at_first():
    found = proof(shown("r1", duration=5), shown("r2"))

    assert found.found is None
    assert [each.id for each in found.doubtful] == ["r2", "r1"]


def test_what_another_entry_may_own_is_doubtful():
    assert proof(shown(), contested=True).doubtful == [shown()]


@pytest.mark.parametrize(
    "other", [shown(external_id="other"), shown(configuration="other")], ids=["test", "config"]
)
def test_what_is_of_another_test_or_configuration_is_not_even_looked_at(other):
    assert proof(other) == proof()
