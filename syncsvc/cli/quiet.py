"""The log of a command that a person reads: warnings, without those that it tells itself."""

from collections.abc import Callable, Collection, MutableMapping
from typing import Any

import structlog

from syncsvc import telemetry
from syncsvc.settings import Settings

Event = MutableMapping[str, Any]


def configure_log(
    settings: Settings, told: Collection[str], tell: Callable[[Event], None] = lambda _: None
) -> None:
    """Log warnings only and leave out what is `told`, unless a level was chosen.

    `tell` is given each event that is left out.
    """
    if "log_level" in settings.model_fields_set:
        telemetry.configure(settings)
        return

    def leave_out(_logger: object, _method: str, event: Event) -> Event:
        if event.get("event") not in told:
            return event
        tell(event)
        raise structlog.DropEvent

    telemetry.configure(settings.model_copy(update={"log_level": "warning"}))
    structlog.configure(processors=[leave_out, *structlog.get_config()["processors"]])
