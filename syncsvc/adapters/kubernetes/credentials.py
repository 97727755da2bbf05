"""Credentials that stay as they are, and credentials that are fetched anew in time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from syncsvc.adapters.kubernetes.access import Certificate, Presented
from syncsvc.errors import Rejected, Unavailable

REREAD = timedelta(minutes=1)  # a token of a service account lives for ten at least
AGAIN = timedelta(seconds=5)  # after a failure
EARLY = timedelta(seconds=10)  # before they expire: a call may take a while


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Fixed:
    """Credentials that do not change."""

    presented: Presented

    async def present(self, refused: Presented | None = None) -> Presented:
        return self.presented


@dataclass(frozen=True, slots=True)
class Fetched:
    """Credentials and when they must be fetched anew; None: once they are refused."""

    presented: Presented
    until: datetime | None = None


@dataclass
class Renewed:
    """Credentials that are fetched when they are due or refused, once for all who wait.

    After a failure nobody tries again for a while: what fails may take long to fail.
    """

    fetch: Callable[[], Awaitable[Fetched]]
    clock: Callable[[], datetime] = now
    _held: Fetched | None = field(default=None, init=False, repr=False)
    _failed: tuple[Unavailable, datetime] | None = field(default=None, init=False, repr=False)
    _fetching: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    async def present(self, refused: Presented | None = None) -> Presented:
        async with self._fetching:
            if self._held is None or self._is_stale(self._held, refused):
                self._held = await self._fetched()
            return self._held.presented

    async def _fetched(self) -> Fetched:
        if self._failed is not None and self.clock() < self._failed[1]:
            raise Unavailable(str(self._failed[0]), retry_after=AGAIN) from self._failed[0]
        try:
            return await self.fetch()
        except Unavailable as error:
            self._failed = (error, self.clock() + AGAIN)
            raise

    def _is_stale(self, held: Fetched, refused: Presented | None) -> bool:
        is_due = held.until is not None and held.until <= self.clock()
        return is_due or held.presented == refused


@dataclass(frozen=True)
class TokenFile:
    """A token that somebody else renews in a file; to be fetched every minute."""

    path: Path
    certificate: Certificate | None = field(default=None, repr=False)
    clock: Callable[[], datetime] = now

    async def fetch(self) -> Fetched:
        token = await asyncio.to_thread(self._read)
        return Fetched(Presented(token, self.certificate), self.clock() + REREAD)

    def _read(self) -> str:
        try:
            return checked_token(self.path.read_text(), f"token file {self.path}")
        except OSError as error:
            raise Unavailable(f"cannot read the token file {self.path}: {error.strerror}") from None
        except ValueError:  # no UTF-8
            raise Rejected(f"token file {self.path}: expected text, found bytes") from None


def checked_token(text: str, place: str) -> str:
    """Give a token without the space around it. Raises Rejected when no header takes it."""
    token = text.strip()
    if not token or not all("!" <= sign <= "~" for sign in token):
        raise Rejected(
            f"{place}: expected a token of printable ASCII without spaces, "
            f"found {'other characters in it' if token else 'nothing'}"
        )
    return token
