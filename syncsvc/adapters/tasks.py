"""Asks task workers for work by name; only this module and `workers/` know Celery."""

import asyncio
from dataclasses import dataclass, field

from celery import Celery
from kombu.exceptions import OperationalError

from syncsvc.errors import Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

DELIVER_DUE = "results.deliver_due"
PATIENCE = 2.0  # seconds; a nudge that takes longer is no nudge
STALE = 10.0  # seconds after which the tick has done it anyway


@dataclass
class CeleryNudge:
    broker: str
    _app: Celery | None = field(default=None, init=False)

    async def deliver(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.to_thread(self._send)
        except (OperationalError, OSError, TimeoutError) as error:
            log.warning("nudge lost, the next tick delivers", reason=repr(error))

    def _send(self) -> None:
        if self._app is None:
            self._app = _application(self.broker)
        self._app.send_task(
            DELIVER_DUE, queue="results", expires=STALE, ignore_result=True, retry=False
        )


async def answering_workers(broker: str) -> list[str]:
    """Name the task workers that answer within two seconds.

    Raises Unavailable when the broker cannot be reached.
    """
    return await asyncio.to_thread(_ping_workers, broker)


def _ping_workers(broker: str) -> list[str]:
    app = _application(broker)
    try:
        with app.connection_for_read(connect_timeout=PATIENCE) as connection:
            connection.ensure_connection(max_retries=1, timeout=int(PATIENCE))
            answers = app.control.inspect(timeout=PATIENCE, connection=connection).ping()
    except (OperationalError, OSError) as error:
        raise Unavailable(f"the broker did not answer: {error}") from error
    return sorted(answers or {})


def _application(broker: str) -> Celery:
    app = Celery("syncsvc", broker=broker, set_as_current=False)
    options: dict[str, float] = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
    if not broker.startswith("amqp"):
        options |= {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE + 1}
    app.conf.broker_transport_options = options
    return app
