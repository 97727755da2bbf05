"""Where a unit is worked on: what was claimed, the catalogue it reads, and where it is kept."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from syncsvc.catalogue.ports import Source, Stored, SyncUnits
from syncsvc.catalogue.spending import Spending
from syncsvc.catalogue.work import Claimed, Committed, Step


@dataclass(frozen=True)
class Desk:
    claimed: Claimed
    source: Source
    stored: Stored
    units: SyncUnits
    spending: Spending
    clock: Callable[[], datetime]

    async def keep(self, step: Step) -> Committed:
        """Commit a step with the calls that were made since the last one.

        Raises Conflict when the claim or the run is lost: then the work ends here.
        """
        step = replace(step, spent=step.spent + self.spending.taken())
        return await self.units.commit(self.claimed, step, self.clock())


class Story(Protocol):
    """How the units of a phase are carried out."""

    async def carry_out(self, desk: Desk) -> None:
        """Do the unit and commit its outcome with its last step.

        Raises what the source raises, and Conflict; whoever called makes an outcome of it.
        """
        ...
