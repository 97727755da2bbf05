"""What counting connections needs: a place where all gateways put their counts."""

from collections.abc import Sequence
from typing import Protocol

from syncsvc.coordination.connections.model import Count


class Connections(Protocol):
    """Keeps what each source said last. All raise Unavailable.

    A source that has said nothing for a while counts as having no live connections.
    """

    async def report(self, run: str, count: Count) -> Sequence[Count]:
        """Note a source's count, tell the others if it is news, and give what all said.

        A count whose number is not above the noted one's changes nothing.
        """
        ...

    async def counts(self, run: str) -> Sequence[Count]:
        """Give what all sources said."""
        ...
