"""A gate that lets everybody through, and remembers who passed and which pauses were asked for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass
class OpenGate:
    passed: list[str] = field(default_factory=list)
    within: int = 0
    pauses: list[tuple[str, timedelta]] = field(default_factory=list)

    @asynccontextmanager
    async def passing(self, place: str) -> AsyncIterator[None]:
        self.passed.append(place)
        self.within += 1
        try:
            yield
        finally:
            self.within -= 1

    async def pause(self, place: str, length: timedelta) -> None:
        self.pauses.append((place, length))
