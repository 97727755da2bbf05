"""A complaint says which field is wrong, what was found and what is expected."""

import msgspec
import pytest

from syncsvc.sandbox.bodies import decode
from syncsvc.sandbox.replies import Refusal


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    number: int


class Outer(msgspec.Struct):
    inner: list[Inner]
    names: dict[str, str] = {}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"inner": 5}', "inner: found 5, expected `array`"),
        (b'{"inner": [{"number": "x"}]}', 'inner[0].number: found "x", expected `int`'),
        (b'{"inner": [{}]}', "inner[0].number: found nothing, expected a value"),
        (b"{}", "inner: found nothing, expected a value"),
        (b"[]", "the body: found [], expected `object`"),
        (
            b'{"inner": [{"number": 1, "more": null}]}',
            "inner[0].more: found null, expected no such field",
        ),
    ],
)
def test_it_names_field_found_and_expected(raw, said):
    with pytest.raises(Refusal) as refusal:
        decode(raw, Outer)

    assert (refusal.value.status, refusal.value.detail) == (400, said)


def test_it_shows_long_values_in_part_only():
    with pytest.raises(Refusal) as refusal:
        decode(b'{"inner": "' + b"x" * 1000 + b'"}', Outer)

    assert len(refusal.value.detail) < 150
