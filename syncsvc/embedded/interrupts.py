"""Ctrl-C, SIGTERM and a closed terminal: the first asks to stop, the second to stop now."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_ASKING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts(stop_now: Callable[[], None]) -> Iterator[asyncio.Event]:
    """Give an event that the first signal sets; each later one calls `stop_now`."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    heard = list(_ASKING)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as it is under nohup
        heard.append(signal.SIGHUP)

    def hear() -> None:
        if asked.is_set():
            stop_now()
        asked.set()

    for number in heard:
        loop.add_signal_handler(number, hear)
    try:
        yield asked
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
