"""What may be asked of a checkpoint; the reasons name the field."""

from datetime import timedelta

from syncsvc.coordination.checkpoints.endings import seconds
from syncsvc.coordination.checkpoints.model import LARGEST_TARGET, SEPARATOR, Arrival
from syncsvc.coordination.names import check_name
from syncsvc.errors import Rejected

LONGEST_REASON = 500
LONGEST_IDENTIFIER = 1_000  # of plain TestSync, which has no other rule for it


def check(arrival: Arrival) -> None:
    """Raises Rejected that names the field which cannot be."""
    check_name("run", arrival.run)
    check_name("worker", arrival.worker)
    if arrival.lenient:
        check_identifier(arrival.name)
        return
    check_name("name", arrival.name)
    target = arrival.terms.target
    if not 1 <= target <= LARGEST_TARGET:
        raise Rejected(f"target: expected 1 to {LARGEST_TARGET}, found {target}")
    check_waiting(arrival)


def check_waiting(arrival: Arrival) -> None:
    """Raises Rejected for a generation or a timeout that cannot be."""
    if arrival.generation is not None and arrival.generation < 1:
        raise Rejected(f"generation: expected 1 or more, found {arrival.generation}")
    if arrival.timeout is not None and arrival.timeout <= timedelta(0):
        raise Rejected(f"timeout: expected more than 0 s, found {seconds(arrival.timeout)}")


def check_identifier(name: str) -> None:
    """Raises Rejected; plain TestSync takes any text, also an empty one."""
    if len(name) > LONGEST_IDENTIFIER:
        raise Rejected(
            f"identifier: expected at most {LONGEST_IDENTIFIER} characters, found {len(name)}"
        )
    if SEPARATOR in name:
        raise Rejected("identifier: expected text without the character U+0000, found one")


def check_reason(reason: str) -> str:
    """Give back why a checkpoint is aborted. Raises Rejected."""
    if not reason.strip():
        raise Rejected("reason: expected a text, found an empty one")
    if len(reason) > LONGEST_REASON:
        raise Rejected(f"reason: expected at most {LONGEST_REASON} characters, found {len(reason)}")
    if SEPARATOR in reason:
        raise Rejected("reason: expected text without the character U+0000, found one")
    return reason
