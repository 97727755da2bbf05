"""How a kept log grows: what is new is cut into chunks, and the middle of a large one left out."""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syncsvc.errors import Conflict
from syncsvc.loadtests.capping import Cap, Cut, Piece, cut, pieces
from syncsvc.loadtests.ports import CHUNK, LEVEL, UNREAD, Addition, KeptLog, LeftOut
from syncsvc.loadtests.seen import Role
from syncsvc.loadtests.stamps import parted, split

ROLES = (Role.INITIALIZER, Role.STARTER, Role.RUNNER, Role.STOPPER, Role.OTHER)


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk that is packed, and not in its place yet."""

    lines: int
    size: int
    first_moment: int | None
    last_moment: int | None
    packed: bytes


@dataclass(frozen=True, slots=True)
class Weight:
    """What a stored chunk weighs."""

    piece: Piece
    packed_size: int


@dataclass(frozen=True, slots=True)
class Growth:
    """What is to be done to a log: these chunks are added, those removed."""

    log: KeptLog
    added: Sequence[tuple[int, Part]] = ()
    removed: Sequence[int] = ()


def packed(fresh: bytes, cap: Cap) -> Sequence[Part]:
    """Cut lines into chunks and pack them."""
    return [_part(lines, log) for lines, log in pieces(fresh, min(CHUNK, cap.piece))]


def unpacked(part: bytes) -> bytes:
    return zlib.decompress(part)


def outgrows(kept: KeptLog, addition: Addition, cap: Cap) -> bool:
    """Whether the cap will leave something out, so that the stored chunks must be known."""
    before = 0 if addition.replaces else kept.size
    return bool(addition.fresh) and before + len(addition.fresh) > cap.head + cap.tail


def grown(
    kept: KeptLog, addition: Addition, parts: Sequence[Part], stored: Sequence[Weight], cap: Cap
) -> Growth:
    """Add to a log. `stored` may be left empty where it does not outgrow the cap.

    Whoever replaces a log removes all chunks before its new `first`.
    """
    base = _emptied(kept) if addition.replaces else kept
    numbered = list(enumerate(parts, base.last + 1))
    new = [_weight(number, part) for number, part in numbered]
    log = replace(
        base,
        cursor=addition.after,
        state=addition.state,
        detail=addition.detail,
        last=base.last + len(parts),
        size=base.size + sum(each.piece.size for each in new),
        packed_size=base.packed_size + sum(each.packed_size for each in new),
    )
    if not outgrows(kept, addition, cap):
        return Growth(log, numbered)
    weights = [*(() if addition.replaces else stored), *new]
    gone = _cut(log.left_out, [each.piece for each in weights], cap)
    added = [(number, part) for number, part in numbered if number not in gone.numbers]
    removed = [number for number in gone.numbers if number <= base.last]
    return Growth(_without(log, gone, weights), added, removed)


def check_place(kept: KeptLog | None, addition: Addition) -> None:
    """See that a log is where it was when it was read on. Raises Conflict."""
    cursor = kept.cursor if kept else UNREAD
    if cursor != addition.before:
        raise Conflict(
            f"log of {addition.source.pod}: expected to go on after {cursor.lines} lines, "
            f"found {addition.before.lines}: read it again"
        )


def in_order(log: KeptLog) -> tuple[str, int, int, str, str]:
    source = log.source
    return (
        source.step_id,
        ROLES.index(source.role),
        source.index or 0,
        source.pod,
        source.container,
    )


def stamped(growth: Growth, at: datetime) -> Growth:
    return replace(growth, log=replace(growth.log, updated_at=at))


def _emptied(kept: KeptLog) -> KeptLog:
    return KeptLog(kept.source, first=kept.last + 1, last=kept.last)


def _cut(left_out: LeftOut | None, stored: Sequence[Piece], cap: Cap) -> Cut:
    """Leave out after what was left out before, so that there is one such place."""
    if left_out is None:
        return cut(stored, cap)
    tail = [piece for piece in stored if piece.number > left_out.after]
    head = _together(left_out.after, (each for each in stored if each.number <= left_out.after))
    return cut([head, *tail], Cap(head.size, cap.head + cap.tail - head.size))


def _together(number: int, some: Iterable[Piece]) -> Piece:
    sizes = [piece.size for piece in some]
    return Piece(number, 1, sum(sizes))


def _without(log: KeptLog, gone: Cut, weights: Sequence[Weight]) -> KeptLog:
    if not gone:
        return log
    light = sum(each.packed_size for each in weights if each.piece.number in gone.numbers)
    before = log.left_out or LeftOut(min(gone.numbers) - 1, 0, 0)
    left_out = LeftOut(before.after, before.lines + gone.lines, before.size + gone.size)
    return replace(
        log, size=log.size - gone.size, packed_size=log.packed_size - light, left_out=left_out
    )


def _part(lines: int, log: bytes) -> Part:
    each = split(log)
    return Part(lines, len(log), parted(each[0])[0], parted(each[-1])[0], zlib.compress(log, LEVEL))


def _weight(number: int, part: Part) -> Weight:
    return Weight(Piece(number, part.lines, part.size), len(part.packed))
