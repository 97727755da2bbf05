"""A link is one connection to a server, with messages in both directions, until it is lost."""

from collections.abc import Awaitable, Callable
from typing import Protocol


class LinkLost(Exception):
    """The link is gone; `at_once` when the server asked us to come back without delay."""

    def __init__(self, reason: str, *, at_once: bool = False) -> None:
        super().__init__(reason)
        self.at_once = at_once


class Link(Protocol):
    async def send(self, message: bytes) -> None:
        """Send one message. Raises LinkLost."""

    async def receive(self) -> str | bytes:
        """Give the next message: text, or bytes for what is no text. Raises LinkLost."""

    async def close(self) -> None:
        """Say goodbye; harmless when it is lost already."""

    def abandon(self) -> None:
        """Let go of it in a forked child, so that the parent's end stays as it is."""


OpenLink = Callable[[str], Awaitable[Link]]
"""Opens a link for a worker. Raises Unavailable (try again) or Refused (do not)."""
