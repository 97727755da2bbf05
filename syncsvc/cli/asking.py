"""How a command asks the services: it builds them, asks one thing, and closes them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from syncsvc import telemetry
from syncsvc.errors import Rejected
from syncsvc.results.held.model import EntryState
from syncsvc.results.ledger import Kind
from syncsvc.settings import load
from syncsvc.wiring.services import Services, build

Answer = TypeVar("Answer")


def ask(question: Callable[[Services], Awaitable[Answer]]) -> Answer:
    """Give the answer; raises what the services raise."""
    settings = load()
    telemetry.configure(settings)

    async def story() -> Answer:
        services = build(settings)
        try:
            return await question(services)
        finally:
            await services.close()

    return asyncio.run(story())


def state_named(word: str | None) -> EntryState | None:
    """Raises Rejected for a word that is no state."""
    try:
        return EntryState(word) if word is not None else None
    except ValueError:
        expected = ", ".join(EntryState)
        raise Rejected(f"--state: expected one of {expected}, found {word!r}") from None


def kind_named(word: str | None) -> Kind | None:
    """Raises Rejected for a word that is no kind."""
    try:
        return Kind(word) if word is not None else None
    except ValueError:
        raise Rejected(f"--kind: expected one of {', '.join(Kind)}, found {word!r}") from None
