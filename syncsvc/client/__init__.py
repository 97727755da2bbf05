"""The client library: what test code uses to keep in step with the other workers of its run.

    async with connect("ws://127.0.0.1:9105", run="r1") as run:
        await run.checkpoint("start").wait(target=4, timeout=60)

`connect_sync` gives the same, blocking. Importing this loads no network library; connecting does.
"""

from syncsvc.client.blocking import connect_sync
from syncsvc.client.checkpoints import Outcome
from syncsvc.client.failures import (
    CheckpointAborted,
    CheckpointBroken,
    CheckpointFailed,
    CheckpointLeft,
    CheckpointLost,
    CheckpointTimedOut,
    LeaseLost,
    NotGranted,
    NotGrantedInTime,
    NotReachable,
    Refused,
    TimedOut,
)
from syncsvc.client.run import Run, connect

__all__ = [
    "CheckpointAborted",
    "CheckpointBroken",
    "CheckpointFailed",
    "CheckpointLeft",
    "CheckpointLost",
    "CheckpointTimedOut",
    "LeaseLost",
    "NotGranted",
    "NotGrantedInTime",
    "NotReachable",
    "Outcome",
    "Refused",
    "Run",
    "TimedOut",
    "connect",
    "connect_sync",
]
