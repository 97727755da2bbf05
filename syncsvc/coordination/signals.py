"""Wakes those of this process who wait for something that happened anywhere.

A signal says only "look again": whoever wakes asks the store, so a signal too many does no
harm. One may get lost with the connection it came by; then `all` wakes everybody.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from syncsvc.coordination.names import LINE

Handler = Callable[[str, str], None]


class Signal:
    """What one waiting story listens to."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a ring since the last wait; False when the time has passed without one."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Signals:
    """Who here listens to which subject."""

    def __init__(self) -> None:
        self._listening: dict[str, list[Signal]] = {}
        self._handlers: dict[str, Handler] = {}

    @contextmanager
    def listen(self, subject: str) -> Iterator[Signal]:
        """Listen to a subject; begin before you look, or what happens in between is missed."""
        signal = Signal()
        self._listening.setdefault(subject, []).append(signal)
        try:
            yield signal
        finally:
            others = self._listening[subject]
            others.remove(signal)
            if not others:
                del self._listening[subject]

    def handle(self, kind: str, handler: Handler) -> None:
        """Give announcements of a kind, subject and body, to a handler instead."""
        self._handlers[kind] = handler

    def announced(self, subject: str, body: str) -> None:
        """Tell those whom an announcement concerns."""
        handler = self._handlers.get(subject.partition(LINE)[0])
        if handler is not None:
            handler(subject, body)
            return
        for signal in self._listening.get(subject, ()):
            signal.ring()

    def all(self) -> None:
        """Wake everybody: announcements may have been missed."""
        for signals in self._listening.values():
            for signal in signals:
                signal.ring()

    @property
    def listened(self) -> frozenset[str]:
        """The subjects that somebody here listens to."""
        return frozenset(self._listening)
