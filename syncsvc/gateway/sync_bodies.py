"""What the API takes to start a sync: what is wrong is refused with its path."""

from datetime import datetime
from typing import Annotated

import msgspec

from syncsvc.catalogue.model import (
    Barrier,
    EntityType,
    IfRunning,
    SyncOptions,
    SyncPhase,
    SyncScope,
)

ProductId = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
WithOffset = Annotated[datetime, msgspec.Meta(tz=True)]


class ScopeBody(msgspec.Struct, forbid_unknown_fields=True):
    """How much of the catalogue; what is not named is not limited."""

    product_ids: list[ProductId] | None = None
    since_date: WithOffset | None = None
    entity_types: list[EntityType] | None = None

    def to_model(self) -> SyncScope:
        return SyncScope(
            None if self.product_ids is None else tuple(self.product_ids),
            self.since_date,
            None if self.entity_types is None else tuple(self.entity_types),
        )


class OptionsBody(msgspec.Struct, forbid_unknown_fields=True):
    force_refresh: bool = False
    incremental_only: bool = False
    nuke: bool = False
    allow_vanishing: bool = False

    def to_model(self) -> SyncOptions:
        return SyncOptions(
            self.force_refresh, self.incremental_only, self.nuke, self.allow_vanishing
        )


class SyncBody(msgspec.Struct, forbid_unknown_fields=True):
    """A sync to start. While one of the same customer runs: `if_running` fail (409) or join it.

    A nuke needs the customer's name once more, in `confirm_nuke`.
    """

    customer: str | None = None
    phases: list[SyncPhase] | None = None
    scope: ScopeBody = msgspec.field(default_factory=ScopeBody)
    options: OptionsBody = msgspec.field(default_factory=OptionsBody)
    barrier: Barrier = Barrier.PRODUCT
    if_running: IfRunning = IfRunning.FAIL
    confirm_nuke: str | None = None
