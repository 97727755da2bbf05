"""A pause that the server asks for holds at the gate, for all; the call waits there if it can."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from syncsvc.errors import Unavailable
from tests.support.builders import NOON
from tests.unit.testio.api import Api, account, ok, status, throttled

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (throttled("3"), 3 * SECOND),
        (throttled("3", code=503), 3 * SECOND),
        (throttled(format_datetime(NOON + 7 * SECOND, usegmt=True)), 7 * SECOND),
        (throttled(None), SECOND),
        (throttled("soon"), SECOND),
        (throttled("0"), 0.1 * SECOND),
        (throttled(format_datetime(NOON - SECOND, usegmt=True)), 0.1 * SECOND),
    ],
    ids=["seconds", "503", "date", "unsaid", "nonsense", "nothing", "past"],
)
async def test_a_pause_holds_for_all_and_the_call_is_repeated_after_it(answer, pause):
    api = Api(answer, ok())

    await api.source.products(None, api.spending)

    assert api.gate.pauses == [(account().place, pause)]
    assert api.time.passed == pytest.approx(pause.total_seconds())
    assert api.spending.throttled == pytest.approx(pause.total_seconds())
    assert (api.spending.calls, api.spending.retries) == (2, 1)


async def test_a_503_that_does_not_say_when_is_a_hiccup():
    api = Api(status(503), ok())

    await api.source.products(None, api.spending)

    assert api.gate.pauses == []
    assert api.time.waits == [0.2]


async def test_a_pause_that_is_longer_than_the_patience_ends_the_call_and_says_when_to_come():
    api = Api(throttled("31"))

    with pytest.raises(Unavailable, match="429") as raised:
        await api.source.products(None, api.spending)

    assert raised.value.retry_after == 31 * SECOND
    assert api.gate.pauses == [(account().place, 31 * SECOND)]
    assert api.spending.calls == 1


async def test_pauses_take_none_of_the_five_tries():
    api = Api(*[throttled()] * 6, *[status(502)] * 4, ok())

    await api.source.products(None, api.spending)

    assert (api.spending.calls, api.spending.retries) == (11, 10)


async def test_a_call_is_not_sent_away_for_ever():
    api = Api(throttled("2"))

    with pytest.raises(Unavailable) as raised:
        await api.source.products(None, api.spending)

    assert raised.value.retry_after == 2 * SECOND
    assert api.spending.calls == 11


async def test_a_turn_that_came_at_once_is_no_wait():
    api = Api(ok())
    api.gate.slow = 0.01

    await api.source.products(None, api.spending)

    assert api.spending.throttled == 0


async def test_a_turn_that_was_waited_for_counts():
    api = Api(ok())
    api.gate.slow = 2

    await api.source.products(None, api.spending)

    assert api.spending.throttled == 2


async def test_waits_between_tries_are_not_the_gates():
    api = Api(status(502), ok())

    await api.source.products(None, api.spending)

    assert api.spending.throttled == 0


@pytest.mark.parametrize("said", [None, 40 * SECOND])
async def test_whoever_gets_no_turn_is_told_to_come_again_and_pays_for_no_call(said):
    api = Api(ok())
    api.gate.refusal, api.gate.slow = Unavailable("no turn came", retry_after=said), 30

    with pytest.raises(Unavailable, match="no turn came") as raised:
        await api.source.products(None, api.spending)

    assert raised.value.retry_after == (said or 5 * SECOND)
    assert (api.spending.calls, api.spending.throttled) == (0, 30)


async def test_a_pause_that_the_gate_cannot_keep_is_passed_on():
    api = Api(throttled("4"))

    async def fails(_place: str, _length: timedelta) -> None:
        raise Unavailable("Redis is gone")

    api.gate.pause = fails

    with pytest.raises(Unavailable, match=r"429.*Redis is gone") as raised:
        await api.source.products(None, api.spending)

    assert raised.value.retry_after == 4 * SECOND


async def test_customers_have_a_place_of_their_own_even_at_one_server():
    mine, other = account(token="a"), account(token="b")

    assert mine.place != other.place
    assert mine.place == account("another name", token="a").place
    assert mine.place != account(url="https://other.invalid", token="a").place
