"""How TestSync's WebSocket messages are read and written."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsvc.adapters.testsync import replies, wire
from syncsvc.adapters.testsync.messages import Fragments, close_answer
from syncsvc.coordination.checkpoints.model import Ending, Outcome
from syncsvc.errors import Conflict, Rejected, Unavailable, Unknown

LARGEST = 2**63 - 1


def waiting(content: bytes) -> wire.Command:
    return wire.read(b'{"command":"wait_checkpoint","content":' + content + b"}")


@pytest.mark.parametrize(
    ("payload", "command"),
    [
        (b'{"command":"read_data","content":{}}', wire.ReadData()),
        (b'{"command":"read_data"}', wire.ReadData()),
        (b' {"content":[1],"command":"get_connection_count"} ', wire.CountConnections()),
        (b'{"command":"close"}', wire.Close()),
        (b'{"COMMAND":"read_data"}', wire.ReadData()),
        (b'{"Command":"close","cOmmand":"read_data"}', wire.ReadData()),
        (b'{"command":"read_data","command":null}', wire.ReadData()),
        (b'{"command":"read_data","other":{"a":[1,{}]}}', wire.ReadData()),
        (b'{"command":"read\\u005fdata"}', wire.ReadData()),
        (b'{"command":"Read_Data"}', wire.Call("Read_Data", b"", None)),
        (
            b'{"command":"lock.acquire","id":7,"content":{"a":1}}',
            wire.Call("lock.acquire", b'{"a":1}', 7),
        ),
        (b'{"command":"cancel","id":"x"}', wire.Cancel("x")),
        (b'{"command":"x\xff"}', wire.Call("x\ufffd", b"", None)),
        (b'{"command":"\\ud800"}', wire.Call("\ufffd", b"", None)),
        (b'{"command":"\\ud83d\\ude00","X":1}', wire.Call("\U0001f600", b"", None)),
        (b"null", wire.Call("", b"", None)),
        (b'{"command":"read_data","id":{}}', wire.ReadData()),
    ],
)
def test_a_message_is_read_as_go_reads_it(payload, command):
    assert wire.read(payload) == command


@pytest.mark.parametrize(
    ("content", "stored"),
    [
        (b' { "a" :  1 } ', b'{ "a" :  1 }'),
        (b"null", b"null"),
        (b'"\\u00e9\xff"', b'"\\u00e9\xff"'),
        (b"1.50e3", b"1.50e3"),
    ],
)
@pytest.mark.parametrize("key", [b"content", b"Content"])
def test_the_exact_bytes_of_the_content_are_stored(key, content, stored):
    payload = b'{"command":"update_data",\n "%b":%b}' % (key, content)

    assert wire.read(payload) == wire.UpdateData(stored)


def test_an_update_without_content_stores_nothing():
    assert wire.read(b'{"command":"update_data"}') == wire.UpdateData(b"")


@pytest.mark.parametrize(
    ("content", "identifier", "target"),
    [
        (b'{"identifier":"x","target_count":3}', "x", 3),
        (b'{"target_count":3}', "", 3),
        (b'{"identifier":"x"}', "x", 0),
        (b'{"identifier":null,"target_count":null}', "", 0),
        (b'{"identifier":"x","target_count":2,"target_count":null}', "x", 2),
        (b'{"IDENTIFIER":"x","Target_Count":-5}', "x", -5),
        (b'{"identifier":"a","Identifier":"b","target_count":1}', "b", 1),
        (b'{"identifier":"x","target_count":9223372036854775807}', "x", LARGEST),
        (b"null", "", 0),
        (b'{"identifier":"\xff","target_count":1}', "\ufffd", 1),
        (b'{"identifier":"\xe2\x82","target_count":1}', "\ufffd\ufffd", 1),
        (b'{"identifier":"x","target_count":1,"note":"y"}', "x", 1),
    ],
)
def test_a_wait_is_read_as_go_reads_it(content, identifier, target):
    assert waiting(content) == wire.WaitCheckpoint(identifier, target)


NO_JSON = "message: expected JSON, found something else at byte"
NO_INTEGER = "target_count: expected an integer, found"


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"", "message: expected an object, found nothing"),
        (b"[1]", "message: expected an object, found a list"),
        (b'"x"', "message: expected an object, found a string"),
        (b"17", "message: expected an object, found the number 17"),
        (b'{"command":5}', "command: expected a string, found the number 5"),
        (b'{"command":true}', "command: expected a string, found true"),
        (b'{"command":"read_data"', f"{NO_JSON} 22"),
        (b'{"command":"read_data"}}', f"{NO_JSON} 23"),
        (b'{"command":"read_data",}', f"{NO_JSON} 23"),
        (b'{"command" "read_data"}', f"{NO_JSON} 1"),
        (
            b'{"command":"read_data","a":01}',
            f"{NO_JSON} 28",
        ),
        (
            b'{"command":"read_data","a":[1,]}',
            f"{NO_JSON} 30",
        ),
        (
            b'{"command":"read_data","a":{"b"}}',
            f"{NO_JSON} 31",
        ),
        (b'{"command":"a\x01"}', f"{NO_JSON} 11"),
        (b'{"command":"a","b":"\\q"}', f"{NO_JSON} 19"),
        (
            b'{"X":' + b"[" * 10_002 + b"]" * 10_002 + b"}",
            "message: expected at most 10000 levels, found more",
        ),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(payload, message):
    refused = wire.read(payload)

    assert isinstance(refused, wire.Refused)
    assert str(refused.error) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b'{"identifier":"x","target_count":"3"}',
            f"{NO_INTEGER} a string",
        ),
        (
            b'{"identifier":"x","target_count":1.0}',
            f"{NO_INTEGER} the number 1.0",
        ),
        (
            b'{"identifier":"x","target_count":1e0}',
            f"{NO_INTEGER} the number 1e0",
        ),
        (b'{"identifier":7,"target_count":1}', "identifier: expected a string, found the number 7"),
        (b'{"identifier":["x"],"target_count":1}', "identifier: expected a string, found a list"),
        (
            b'{"identifier":"x","target_count":9223372036854775808}',
            "target_count: expected an integer of 64 bits, found 9223372036854775808",
        ),
        (b'"x"', "content: expected an object, found a string"),
        (b"[]", "content: expected an object, found a list"),
        (
            b'{"identifier":"x","target_count":1,"cyclic":"yes"}',
            "cyclic: expected `bool`, found `str`",
        ),
        (
            b'{"identifier":"x","target_count":1,"policy":"perhaps"}',
            "policy: invalid enum value 'perhaps'",
        ),
        (b'{"identifier":"x","worker":"w","colour":1}', "colour: no such field"),
    ],
)
def test_a_wait_that_cannot_be_is_refused_by_its_field(content, message):
    refused = waiting(content)

    assert isinstance(refused, wire.Refused)
    assert (refused.command, str(refused.error)) == ("wait_checkpoint", message)


def test_a_wait_without_content_is_refused():
    refused = wire.read(b'{"command":"wait_checkpoint","id":3}')

    assert isinstance(refused, wire.Refused)
    assert (refused.id, str(refused.error)) == (3, "content: expected an object, found nothing")


def test_a_wait_that_says_more_is_ours():
    command = waiting(b'{"identifier":"x","target_count":2,"worker":"w","timeout_seconds":1.5}')

    extras = wire.Extras("x", 2, worker="w", timeout_seconds=1.5)
    assert command == wire.WaitCheckpoint("x", 2, extras)


@pytest.mark.parametrize("key", ["command", "Command"])
def test_a_large_message_may_have_more_keys_and_capital_ones(key):
    more = "x" * 100_000
    payload = f'{{"{key}":"update_data","Content": [1] ,"x":"{more}"}}'.encode()

    assert wire.read(payload) == wire.UpdateData(b"[1]")


@pytest.mark.parametrize(
    "payload",
    [b'{"X":' + b"[" * 70_000 + b"]" * 70_000 + b"}", b'{"X' * 30_000, b'["' + b"x" * 70_000],
)
def test_a_large_message_that_cannot_be_read_is_refused(payload):
    assert isinstance(wire.read(payload), wire.Refused)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON, st.integers(0, 3))
def test_both_ways_of_reading_find_the_same_content(content, indent):
    written = json.dumps(content, indent=indent).encode()

    strict = wire.read(b'{"command":"update_data","content":' + written + b"}")
    as_go = wire.read(b'{"COMMAND":"update_data","content":' + written + b"}")

    assert strict == as_go == wire.UpdateData(written)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(payload):
    wire.read(payload)
    waiting(payload)


def test_a_short_message_is_read_once():
    decoder = wire.Decoder()
    payload = b'{"command":"wait_checkpoint","content":{"identifier":"x","target_count":3}}'

    first = decoder.read(payload)

    assert decoder.known[payload] is first


def test_what_is_remembered_has_bounds(monkeypatch):
    monkeypatch.setattr(wire, "MOST_REMEMBERED", 2)
    decoder = wire.Decoder()

    for n in range(5):
        decoder.read(b'{"command":"update_data","content":%d}' % n)
    decoder.read(b'{"command":"update_data","content":"%b"}' % (b"x" * 600))
    decoder.read(b'{"command":"lock.acquire","id":1}')

    assert list(decoder.known) == [b'{"command":"update_data","content":4}']


def ended(name: str, ending: Ending = Ending.RELEASED, **more) -> Outcome:
    given = {"generation": 2, "target": 3, "arrived": 3} | more
    return Outcome("run", name, ending, **given)


def test_a_release_is_written_as_the_go_server_writes_it():
    assert replies.outcome(ended("x", start_at=1795225768334)) == (
        b'{"command":"wait_checkpoint","content":'
        b'{"identifier":"x","finished":true,"start_at":1795225768334}}'
    )


def test_a_late_arrival_is_answered_in_its_own_shape():
    assert replies.outcome(ended("x", Ending.LATE, start_at=None)) == (
        b'{"command":"wait_checkpoint","content":'
        b'{"command":"wait_checkpoint","identifier":"x","finished":true}}'
    )


def test_a_late_arrival_never_has_a_start():
    late = msgspec.json.decode(replies.outcome(ended("x", Ending.LATE, start_at=5)))

    assert "start_at" not in late["content"]


def test_an_identifier_is_escaped_as_go_escapes_it():
    written = replies.outcome(ended('<a href="x">&\u2028\u2029\\\n\x00é', Ending.LATE))

    assert (
        b'"identifier":"\\u003ca href=\\"x\\"\\u003e\\u0026\\u2028\\u2029\\\\\\n\\u0000\xc3\xa9"'
        in written
    )


def test_an_extended_answer_has_the_plain_fields_and_more():
    told = replies.extended(
        ended("x", Ending.BROKEN, reason="it broke", broken_by=("a", "b"), arrived=2)
    )

    assert msgspec.json.decode(told) == {
        "command": "wait_checkpoint",
        "content": {
            "identifier": "x",
            "finished": False,
            "outcome": "broken",
            "generation": 2,
            "arrived": 2,
            "target": 3,
            "reason": "it broke",
            "broken_by": ["a", "b"],
            "start_in_ms": None,
        },
    }


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (Rejected("no"), "rejected"),
        (Unknown("no"), "unknown"),
        (Conflict("no"), "conflict"),
        (Unavailable("no"), "unavailable"),
    ],
)
def test_an_error_says_its_kind(cause, kind):
    assert msgspec.json.decode(replies.error("lock.acquire", 7, cause)) == {
        "command": "error",
        "id": 7,
        "content": {"command": "lock.acquire", "kind": kind, "message": "no"},
    }


def test_the_connection_count_is_written_as_the_go_server_writes_it():
    assert replies.connection_count(3) == (
        b'{"command":"get_connection_count","content":{"count":3}}'
    )


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (b"", b""),
        (b"\x03\xe8", b"\x03\xe8"),
        (b"\x03\xe8goodbye", b"\x03\xe8"),
        (b"\x0f\xa0", b"\x0f\xa0"),
        (b"\x03\xeebroken", b"\x03\xeabad close code 1006"),
        (b"\x00\x00", b"\x03\xeabad close code 0"),
        (b"\x13\x88", b"\x03\xeabad close code 5000"),
    ],
)
def test_a_close_is_answered_by_its_code_alone(payload, answer):
    assert close_answer(payload) == answer


def test_fragments_are_joined_up_to_a_size():
    fragments = Fragments(5)

    taken = [fragments.add(b"ab"), fragments.add(b""), fragments.add(b"cde"), fragments.add(b"f")]

    assert taken == [True, True, True, False]
    assert fragments.joined() == b"abcdef"
