"""Figures of syncs among a gateway's metrics: one line for each customer that is configured.

They are of the record, so every gateway shows the same.
"""

import asyncio
from contextlib import suppress
from datetime import datetime
from math import inf

from prometheus_client import Gauge

from syncsvc.catalogue.ports import CustomerPulse
from syncsvc.catalogue.service import SyncService
from syncsvc.errors import SyncsvcError
from syncsvc.wiring.moments import now

LAG = Gauge(
    "syncsvc_sync_lag_seconds",
    "Time since a customer's last sync that succeeded; +Inf before the first.",
    ["customer"],
)
RUNNING = Gauge("syncsvc_sync_running", "1 while a customer is synced, else 0.", ["customer"])
QUARANTINED = Gauge(
    "syncsvc_sync_quarantined", "Places of a customer's lists that cannot be read.", ["customer"]
)
INCOMPLETE = Gauge(
    "syncsvc_sync_incomplete", "Products whose lists of tests have gaps.", ["customer"]
)
COUNTED_EVERY = 10.0  # seconds
LONGEST_COUNT = 10.0  # seconds, for all customers


async def count_syncs(syncs: SyncService) -> None:
    """Keep the figures, until cancelled."""
    while True:
        with suppress(SyncsvcError, TimeoutError):  # the next count tells
            async with asyncio.timeout(LONGEST_COUNT):
                await count_once(syncs, now())
        await asyncio.sleep(COUNTED_EVERY)


async def count_once(syncs: SyncService, moment: datetime) -> None:
    """Read the figures of all customers, and show them."""
    for customer in syncs.customers():
        _show(customer, await syncs.pulse(customer), moment)


def _show(customer: str, pulse: CustomerPulse, moment: datetime) -> None:
    last = pulse.last_success_at
    LAG.labels(customer).set(inf if last is None else max((moment - last).total_seconds(), 0))
    RUNNING.labels(customer).set(pulse.running is not None)
    QUARANTINED.labels(customer).set(pulse.quarantined)
    INCOMPLETE.labels(customer).set(pulse.incomplete)
