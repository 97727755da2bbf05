"""All commands in one table: what every way to give a command offers."""

from dataclasses import dataclass

from syncsvc.coordination.board.service import BoardService
from syncsvc.coordination.checkpoints.service import Meetings
from syncsvc.coordination.counters.service import CounterService
from syncsvc.coordination.leases.service import LeaseService
from syncsvc.coordination.operations.board import board_operations
from syncsvc.coordination.operations.checkpoints import checkpoint_operations
from syncsvc.coordination.operations.counters import counter_operations
from syncsvc.coordination.operations.leases import lease_operations
from syncsvc.coordination.operations.operation import Operation
from syncsvc.coordination.operations.presence import presence_operations
from syncsvc.coordination.operations.topics import topic_operations
from syncsvc.coordination.presence.service import PresenceService
from syncsvc.coordination.topics.service import TopicService


@dataclass(frozen=True)
class Primitives:
    """The services that carry the commands out."""

    checkpoints: Meetings
    leases: LeaseService
    counters: CounterService
    topics: TopicService
    board: BoardService
    presence: PresenceService


def every_operation(primitives: Primitives) -> dict[str, Operation]:
    """Give all commands."""
    return {
        **checkpoint_operations(primitives.checkpoints),
        **lease_operations(primitives.leases),
        **counter_operations(primitives.counters),
        **topic_operations(primitives.topics),
        **board_operations(primitives.board),
        **presence_operations(primitives.presence),
    }
