"""Puts the coordination room together: what the workers of a run keep in step with."""

import asyncio
import secrets
from dataclasses import dataclass

from syncsvc.coordination.board.redis import RedisBoard
from syncsvc.coordination.board.service import BoardService
from syncsvc.coordination.checkpoints.redis import RedisCheckpoints
from syncsvc.coordination.checkpoints.service import Meetings
from syncsvc.coordination.connections.redis import RedisConnections
from syncsvc.coordination.connections.service import KIND, SILENT_AFTER, ConnectionCounts
from syncsvc.coordination.counters.redis import RedisCounters
from syncsvc.coordination.counters.service import CounterService
from syncsvc.coordination.leases.redis import RedisLeases
from syncsvc.coordination.leases.service import LeaseService
from syncsvc.coordination.operations.every import Primitives, every_operation
from syncsvc.coordination.operations.operation import Operations
from syncsvc.coordination.presence.redis import RedisAttendances
from syncsvc.coordination.presence.service import PresenceService
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.topics.redis import RedisTopics
from syncsvc.coordination.topics.service import TopicService
from syncsvc.settings import Settings
from syncsvc.stores.redis.announcements import Announcements
from syncsvc.stores.redis.scripts import Scripts


@dataclass(frozen=True)
class Coordination:
    """What a gateway offers to the workers of a run; build it on a running event loop."""

    meetings: Meetings
    presence: PresenceService
    connections: ConnectionCounts
    operations: Operations
    signals: Signals
    announcements: Announcements
    gateway_id: str

    @classmethod
    def open(cls, settings: Settings, scripts: Scripts) -> "Coordination":
        """Connect the rooms to one Redis; nothing is reached before it is used."""
        signals, life, gateway_id = Signals(), settings.coordination_life, secrets.token_hex(4)
        presence = PresenceService(RedisAttendances(scripts, life), signals)
        meetings = Meetings(
            RedisCheckpoints(scripts, life),
            present=presence.names,
            longest_wait=settings.longest_wait,
        )
        primitives = Primitives(
            meetings,
            LeaseService(RedisLeases(scripts, life), signals, _ticket),
            CounterService(RedisCounters(scripts, life), signals),
            TopicService(RedisTopics(scripts, life), signals),
            BoardService(RedisBoard(scripts, life), signals),
            presence,
        )
        connections = ConnectionCounts(RedisConnections(scripts, life, SILENT_AFTER), gateway_id)
        news = News(signals, meetings, connections)
        return cls(
            meetings,
            presence,
            connections,
            every_operation(primitives),
            signals,
            Announcements(scripts, news),
            gateway_id,
        )

    async def run(self) -> None:
        """Hear what happens elsewhere and look after who waits here, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.announcements.run())
            tasks.create_task(self.meetings.tend())
            tasks.create_task(self.connections.tell())


@dataclass(frozen=True)
class News:
    """Takes announcements to whom they concern."""

    signals: Signals
    meetings: Meetings
    connections: ConnectionCounts

    def __post_init__(self) -> None:
        self.signals.handle("checkpoint", self.meetings.announced)
        self.signals.handle(KIND, self.connections.announced)

    def announced(self, subject: str, body: str) -> None:
        self.signals.announced(subject, body)

    def began(self, *, lost: bool) -> None:
        self.meetings.began(lost=lost)
        self.connections.look_again()
        self.signals.all()


def _ticket() -> str:
    return secrets.token_hex(8)
