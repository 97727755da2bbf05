"""What the blackboard's rules say, and the commands that follow them."""

import json

import pytest

from syncsvc.coordination.board.model import Change, Fence, Outcome, State, refusal
from syncsvc.coordination.once import Once, once
from syncsvc.coordination.operations.operation import Caller
from syncsvc.errors import Conflict, Rejected, Unknown
from tests.support.builders import SECOND
from tests.support.operations import memory_operations

CHANGE = Change("n", "1", Once("id", SECOND), if_version=3, fence=Fence("lock", "db", 7))


@pytest.mark.parametrize(
    ("lease", "kind", "name"),
    [("lock/db", "lock", "db"), ("leader/a/b", "leader", "a/b"), ("lock/ ä", "lock", " ä")],
)
def test_a_fence_names_a_lease_by_kind_and_name(lease, kind, name):
    assert Fence.of(lease, 7) == Fence(kind, name, 7)


@pytest.mark.parametrize("lease", ["db", "", "/db", "lock", "lock/", "semaphore/db", "lock/a\nb"])
def test_a_fence_that_names_no_lease_is_refused_by_field(lease):
    with pytest.raises(Rejected, match=r"^fence\.lease: expected"):
        Fence.of(lease, 7)


@pytest.mark.parametrize(
    ("outcome", "number", "kind", "words"),
    [
        (Outcome.OTHER_VERSION, 5, Conflict, "if_version: expected 3, found 5"),
        (Outcome.FENCED, 8, Conflict, "fence.token: expected 8, the newest granted, found 7"),
        (Outcome.ABSENT, 0, Unknown, "name: expected one that has an entry, found 'n'"),
    ],
)
def test_a_refusal_says_what_was_expected_and_found(outcome, number, kind, words):
    refused = refusal(CHANGE, outcome, number)

    assert type(refused) is kind
    assert str(refused) == words


def test_what_was_done_is_not_refused():
    assert refusal(CHANGE, Outcome.DONE, 4) is None


def test_what_never_was_is_not_deleted():
    assert not State(0).was_deleted
    assert State(3).was_deleted
    assert not State(3, "1").was_deleted


def test_a_request_id_belongs_to_one_command_and_name():
    ids = {
        once("data.put", "n", "r").id,
        once("data.put", "m", "r").id,
        once("data.delete", "n", "r").id,
        once("data.put", "n", "s").id,
    }

    assert len(ids) == 4
    assert once("data.put", "n", None) != once("data.put", "n", None)


async def test_json_is_kept_as_it_was_written():
    operations, caller = memory_operations(), Caller("r", "w")
    written = '{"b": 1.10, "a": [1e2,  "\\u00e4"], "n": 12345678901234567890123}'

    await operations["data.put"].perform(caller, b'{"name": "n", "value": %s}' % written.encode())
    entry = await operations["data.get"].perform(caller, b'{"name": "n"}')

    assert bytes(entry.value) == written.encode()
    assert json.loads(written)["n"] == 12345678901234567890123
