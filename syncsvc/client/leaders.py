"""One worker leads, the others observe who."""

from collections.abc import AsyncIterator
from typing import Unpack

import msgspec

from syncsvc.client.asking import AT_ONCE, Part
from syncsvc.client.leases import Lease
from syncsvc.client.locks import Asked, terms
from syncsvc.client.terms import Wish
from syncsvc.errors import Conflict


class Leading(msgspec.Struct, frozen=True):
    """Who leads, None for nobody; the token grows with each new leader."""

    leader: str | None = None
    token: int = 0


class Leadership(Lease):
    """The lease of the worker that leads."""

    async def resign(self, to: str | None = None) -> None:
        """Give way at once, to the next in line or to the one that is named.

        Raises Conflict, and goes on leading, when that one is not campaigning.
        """
        if to is None:
            await self.release()
            return
        await self._stop_keeping()
        try:
            await self._end(self._wish.release, to=to)
        except Conflict:
            self._start_keeping()
            raise


class Leader(Part):
    """An election under one name."""

    def campaign(
        self,
        **asked: Unpack[Asked],
    ) -> Leadership:
        """Give what, as a block, is entered when this worker leads; waits at most `wait`."""
        wish = Wish("leader", acquire="campaign", release="resign")
        return Leadership(self._session, self.name, wish, terms(asked))

    async def current(self) -> Leading:
        return await self._ask(Leading, "leader.observe", AT_ONCE)

    async def observe(self) -> AsyncIterator[Leading]:
        """Give who leads, then each change, without an end."""
        seen = await self.current()
        yield seen
        for wait in self._turns("wait", None):
            found = await self._ask(Leading, "leader.observe", wait, after_token=seen.token)
            if found != seen:
                seen = found
                yield found
