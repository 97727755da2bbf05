"""Every command on memory twins."""

from datetime import timedelta
from itertools import count

from syncsvc.coordination.board.memory import MemoryBoard
from syncsvc.coordination.board.service import BoardService
from syncsvc.coordination.checkpoints.memory import MemoryCheckpoints
from syncsvc.coordination.checkpoints.service import Meetings
from syncsvc.coordination.counters.memory import MemoryCounters
from syncsvc.coordination.counters.service import CounterService
from syncsvc.coordination.leases.memory import MemoryLeases
from syncsvc.coordination.leases.model import Lease, LeaseKind
from syncsvc.coordination.leases.service import LeaseService
from syncsvc.coordination.operations.every import Primitives, every_operation
from syncsvc.coordination.operations.operation import Operation
from syncsvc.coordination.presence.memory import MemoryAttendances
from syncsvc.coordination.presence.service import PresenceService
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.topics.memory import MemoryTopics
from syncsvc.coordination.topics.service import TopicService
from tests.support.builders import Clock


def memory_operations() -> dict[str, Operation]:
    """Give every command, in a loop that runs; nothing is there yet, and the clock stands."""
    signals, clock = Signals(), Clock()
    announce = signals.announced
    leases = MemoryLeases(clock, announce)
    tickets = count()

    def newest_token(run: str, kind: str, name: str) -> int:
        permits = leases.leases.get(Lease(run, LeaseKind(kind), name))
        return permits.token if permits else 0

    presence = PresenceService(MemoryAttendances(clock, announce), signals)
    meetings = Meetings(MemoryCheckpoints(announce, clock), present=presence.names)
    signals.handle("checkpoint", meetings.announced)
    board = MemoryBoard(clock, announce, newest_token, life=timedelta(hours=12))
    return every_operation(
        Primitives(
            checkpoints=meetings,
            leases=LeaseService(leases, signals, lambda: str(next(tickets))),
            counters=CounterService(MemoryCounters(announce), signals),
            topics=TopicService(MemoryTopics(clock, announce), signals),
            board=BoardService(board, signals),
            presence=presence,
        )
    )


def shapes_of_operations() -> dict[str, Operation]:
    """Give every command with nobody to carry it out: what each takes, gives and is for."""
    nobody: dict[str, object] = dict.fromkeys(Primitives.__dataclass_fields__)
    return every_operation(Primitives(**nobody))
