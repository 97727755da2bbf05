"""Asks task workers for work by name; only this module and `workers/` know Celery."""

import asyncio
from dataclasses import dataclass, field

from amqp.exceptions import AMQPError
from celery import Celery
from kombu import Queue
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from syncsvc.errors import Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

QUEUES = ("results", "catalogue", "loadtests", "upkeep")  # one for each capability
DELIVER_DUE = "results.deliver_due"
PUSH_DUE = "results.push_due"
SYNC_DUE = "catalogue.work_due"
POLL = "loadtests.poll"
PATIENCE = 2.0  # seconds; a nudge that takes longer is no nudge
BROKER_ERRORS = (KombuError, AMQPError, RedisError, OSError)
STALE = 10.0  # seconds after which the tick has done it anyway


def queues(broker: str) -> list[Queue]:
    """Describe the queues; RabbitMQ keeps them on a quorum of its nodes."""
    quorum = {"x-queue-type": "quorum"} if broker.startswith("amqp") else None
    return [Queue(name, routing_key=name, queue_arguments=quorum) for name in QUEUES]


@dataclass
class CeleryNudge:
    broker: str
    _app: Celery | None = field(default=None, init=False)

    async def deliver(self) -> None:
        await self._ask_for(DELIVER_DUE)

    async def push(self) -> None:
        await self._ask_for(PUSH_DUE)

    async def sync(self, workers: int) -> None:
        await self._ask_for(SYNC_DUE, times=workers)

    async def poll(self) -> None:
        await self._ask_for(POLL)

    async def _ask_for(self, task: str, times: int = 1) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.to_thread(self._send, task, times)
        except (*BROKER_ERRORS, TimeoutError) as error:
            log.warning("nudge lost, the next tick delivers", reason=repr(error))

    def _send(self, task: str, times: int) -> None:
        if self._app is None:
            self._app = _application(self.broker)
        queue = task.partition(".")[0]
        for _ in range(times):
            self._app.send_task(task, queue=queue, expires=STALE, ignore_result=True, retry=False)


@dataclass
class Bell:
    """A nudge that is passed on by whoever listens, so that who pushes results need not wait.

    Rung many times it is passed on once.
    """

    nudge: CeleryNudge
    _rung: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def push(self) -> None:
        self._rung.set()

    async def pass_on(self) -> None:
        """Pass nudges on until it is cancelled."""
        while True:
            await self._rung.wait()
            self._rung.clear()
            await self.nudge.push()


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
    except BROKER_ERRORS as error:
        raise Unavailable(f"the broker did not answer: {error}") from error
    return sorted(answers or {})


def _application(broker: str) -> Celery:
    app = Celery("syncsvc", broker=broker, set_as_current=False)
    app.conf.task_queues = queues(broker)
    app.conf.task_create_missing_queues = False
    options: dict[str, float] = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
    if not broker.startswith("amqp"):
        options |= {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE + 1}
    app.conf.broker_transport_options = options
    return app
