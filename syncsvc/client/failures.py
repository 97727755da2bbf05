"""What the client raises beside the server's own answers.

SyncsvcError
├── Rejected
│   └── Refused               the server does not let us in, or is not ours
├── Conflict
│   ├── LeaseLost             the lease can no longer be relied on
│   └── NotGranted            somebody else holds it
├── Unavailable
│   ├── NotReachable          no server within the time given for it
│   └── TimedOut              what was waited for did not come; also a TimeoutError
│       └── NotGrantedInTime  also a NotGranted
└── CheckpointFailed          a wait that did not end in passing; has the `outcome`
    ├── CheckpointAborted     somebody gave it up; also a Conflict
    ├── CheckpointBroken      a worker that had arrived is gone; also a Conflict
    ├── CheckpointLeft        this worker was taken out of it; also a Conflict
    ├── CheckpointLost        the server lost its memory; also an Unavailable
    └── CheckpointTimedOut    also a TimedOut
"""

from syncsvc.errors import Conflict, Rejected, SyncsvcError, Unavailable, Unknown


class Refused(Rejected):
    """The server does not let this client in; the text says what to set."""


class NotReachable(Unavailable):
    """No server answered within the time given for it."""


class TimedOut(Unavailable, TimeoutError):
    """What was waited for did not come in time."""


class LeaseLost(Conflict):
    """The lease can no longer be relied on: somebody else may hold it."""


class NotGranted(Conflict):
    """Somebody else holds what was asked for."""


class NotGrantedInTime(NotGranted, TimedOut):
    """Somebody else held it for as long as we waited."""


class CheckpointFailed(SyncsvcError):
    """A wait at a checkpoint did not end in passing it."""

    def __init__(self, message: str, outcome: object = None) -> None:
        super().__init__(message)
        self.outcome = outcome


class CheckpointAborted(CheckpointFailed, Conflict):
    """Somebody gave the checkpoint up."""


class CheckpointBroken(CheckpointFailed, Conflict):
    """A worker that had arrived, or had to, is gone."""


class CheckpointLeft(CheckpointFailed, Conflict):
    """Somebody took this worker out of the checkpoint while it waited."""


class CheckpointLost(CheckpointFailed, Unavailable):
    """The server lost its memory of the checkpoint: all have to arrive again."""


class CheckpointTimedOut(CheckpointFailed, TimedOut):
    """Not enough workers arrived in time."""


_KINDS: dict[str, type[SyncsvcError]] = {
    "rejected": Rejected,
    "unknown": Unknown,
    "conflict": Conflict,
    "unavailable": Unavailable,
}


def error_of(kind: str, message: str) -> SyncsvcError:
    """Give the error for an answer of the server, in its own words."""
    return _KINDS.get(kind, Rejected)(message)
