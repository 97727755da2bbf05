"""Asks task workers for work by name; only this module and `workers/` know Celery."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

from syncsvc.telemetry import get_logger

log = get_logger(__name__)

DELIVER_DUE = "results.deliver_due"
PATIENCE = 2.0  # seconds; a nudge that takes longer is no nudge
STALE = 10.0  # seconds after which the tick has done it anyway


@dataclass
class CeleryNudge:
    broker: str
    _app: Any = field(default=None, init=False)

    async def deliver(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.to_thread(self._send)
        except (OperationalError, OSError, TimeoutError) as error:
            log.warning("nudge lost, the next tick delivers", reason=str(error))

    def _send(self) -> None:
        if self._app is None:
            self._app = Celery("syncsvc", broker=self.broker, set_as_current=False)
            self._app.conf.broker_transport_options = {
                "socket_connect_timeout": PATIENCE,
                "socket_timeout": PATIENCE,
            }
        self._app.send_task(
            DELIVER_DUE, queue="results", expires=STALE, ignore_result=True, retry=False
        )
