"""Signals ask to stop, and then insist."""

import asyncio
import signal

import pytest

from syncsvc.embedded.interrupts import interrupts


@pytest.fixture(autouse=True)
def signals_as_they_were():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, action in before.items():
        signal.signal(number, action)


async def test_the_first_signal_asks_and_the_second_insists():
    insisted = asyncio.Event()
    with interrupts(insisted.set) as asked:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(asked.wait(), 30)
        assert not insisted.is_set()

        signal.raise_signal(signal.SIGINT)
        await asyncio.wait_for(insisted.wait(), 30)


async def test_a_shell_that_started_us_in_the_background_does_not_make_us_deaf():
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    with interrupts(lambda: None) as asked:
        signal.raise_signal(signal.SIGINT)
        await asyncio.wait_for(asked.wait(), 30)


async def test_under_nohup_a_closed_terminal_is_no_reason_to_stop():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with interrupts(lambda: None):
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
