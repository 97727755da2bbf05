"""Waits for what happens outside this process, with a deadline and a reason."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

Seen = TypeVar("Seen")

LOOK_AGAIN = 0.05  # seconds


def apart(story: Coroutine[None, None, Seen]) -> Seen:
    """Carry out a story on a loop of its own, also when one is running here."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, story).result()


def until(look: Callable[[], Seen], what: str, within: float = 30) -> Seen:
    """Look until something true is seen, and give it; fail with what was seen last."""
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}; last seen: {seen!r}"
        time.sleep(LOOK_AGAIN)


def until_connects(address: Path | tuple[str, int], within: float = 30) -> None:
    """Return once somebody listens at a unix socket or a TCP address."""
    until(lambda: _listens(address), f"somebody listens at {address}", within)


def _listens(address: Path | tuple[str, int]) -> bool:
    family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(address) if isinstance(address, Path) else address)
        except OSError:
            return False
    return True
