"""How a gateway counts connections, its own and the others'."""

import asyncio

import pytest

from syncsvc.coordination.connections.memory import MemoryConnections
from syncsvc.coordination.connections.model import Totals
from syncsvc.coordination.connections.service import FORGET_AFTER, SILENT_AFTER, ConnectionCounts
from syncsvc.errors import Unavailable
from tests.support.builders import NOON


class Fleet:
    """Gateways beside each other, and the store between them."""

    def __init__(self, *names: str) -> None:
        self.store = MemoryConnections(lambda: NOON, SILENT_AFTER, self._announce)
        self.gateways = [ConnectionCounts(self.store, name) for name in names]

    def _announce(self, subject: str, body: str) -> None:
        for gateway in self.gateways:
            gateway.announced(subject, body)


async def test_a_gateways_own_count_is_exact_at_once():
    (gateway,) = Fleet("a").gateways

    first, second = gateway.enter("run"), gateway.enter("run")
    gateway.leave(first)

    assert first is second
    assert second.total == Totals(live=1, ever=2)


async def test_the_others_counts_are_learnt_with_the_first_report():
    one, two = Fleet("a", "b").gateways
    one.enter("run")
    await one.tell_now()

    tally = two.enter("run")
    before = tally.known
    await two.tell_now()

    assert (before, tally.known) == (False, True)
    assert tally.total == Totals(live=2, ever=2)


async def test_the_others_changes_are_heard():
    one, two = Fleet("a", "b").gateways
    tally, other = one.enter("run"), two.enter("run")
    await one.tell_now()
    await two.tell_now()

    two.leave(other)
    await two.tell_now()

    assert tally.total == Totals(live=1, ever=2)


async def test_runs_are_counted_apart():
    one, two = Fleet("a", "b").gateways
    tally = one.enter("run")
    two.enter("another")
    await one.tell_now()
    await two.tell_now()

    assert tally.total == Totals(live=1, ever=1)


async def test_what_could_not_be_told_is_told_later():
    fleet = Fleet("a")
    (gateway,) = fleet.gateways
    report, fleet.store.report = fleet.store.report, unreachable
    gateway.enter("run")

    with pytest.raises(Unavailable):
        await gateway.tell_now()
    fleet.store.report = report
    await gateway.tell_now()

    assert await gateway.totals("run") == Totals(live=1, ever=1)


async def unreachable(*_):
    raise Unavailable("not now")


async def test_changes_are_told_without_being_asked():
    fleet = Fleet("a", "b")
    one, two = fleet.gateways
    telling = [asyncio.create_task(gateway.tell()) for gateway in fleet.gateways]

    tally, other = one.enter("run"), two.enter("run")
    await tally.wait_until_known()
    await other.wait_until_known()

    assert Totals(live=2, ever=2) in (tally.total, other.total)
    for task in telling:
        task.cancel()
    await asyncio.wait(telling)


async def test_all_is_reported_again_after_an_interruption():
    fleet = Fleet("a")
    (gateway,) = fleet.gateways
    gateway.enter("run")
    await gateway.tell_now()
    fleet.store.said.clear()

    gateway.look_again()
    await gateway.tell_now()

    assert await gateway.totals("run") == Totals(live=1, ever=1)


async def test_a_run_is_known_by_whether_it_ever_had_a_connection():
    one, two = Fleet("a", "b").gateways
    before = await two.ever("run")
    one.leave(one.enter("run"))
    here = await one.ever("run")
    await one.tell_now()

    assert (before, here, await two.ever("run")) == (False, True, True)


async def test_a_forgotten_run_counts_on_when_it_is_used_again():
    (gateway,) = Fleet("a").gateways
    gateway.leave(gateway.enter("run"))
    await gateway.tell_now()
    for _ in range(FORGET_AFTER + 1):
        gateway.forget_idle()

    tally = gateway.enter("run")
    await gateway.tell_now()

    assert tally.total == Totals(live=1, ever=2)
