"""Keeps a log's head and its tail where the whole is too large, and says what is left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from syncsvc.loadtests.stamps import split

SHARES = 4  # of a cap's head or tail: how large one piece may be


@dataclass(frozen=True, slots=True)
class Cap:
    head: int  # bytes
    tail: int

    @property
    def piece(self) -> int:
        """How large a piece may be, so that whole ones can be left out."""
        return max(1, min(self.head, self.tail) // SHARES)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stored part of a log, by its place in it."""

    number: int
    lines: int
    size: int


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left out of a log, between its head and its tail."""

    numbers: Sequence[int] = ()
    lines: int = 0
    size: int = 0

    def __bool__(self) -> bool:
        return self.lines > 0

    def __add__(self, other: "Cut") -> "Cut":
        numbers = (*self.numbers, *other.numbers)
        return Cut(numbers, self.lines + other.lines, self.size + other.size)

    @property
    def mark(self) -> str:
        """Say in the log itself what is not there."""
        return f"[... {self.lines:,} lines, {self.size:,} bytes are left out here ...]"


def pieces(log: bytes, limit: int) -> Iterator[tuple[int, bytes]]:
    """Cut a log at line ends into pieces of at most the limit, with their numbers of lines.

    A line that is longer than that is a piece of its own.
    """
    held: list[bytes] = []
    size = 0
    for line in split(log):
        if held and size + len(line) > limit:
            yield len(held), b"".join(held)
            held, size = [], 0
        held.append(line)
        size += len(line)
    if held:
        yield len(held), b"".join(held)


def cut(stored: Sequence[Piece], cap: Cap) -> Cut:
    """Say which pieces are too many: those after the head, oldest first, but never the last."""
    over = sum(piece.size for piece in stored) - cap.head - cap.tail
    ordered = sorted(stored, key=lambda piece: piece.number)
    middle = ordered[_head(ordered, cap.head) :]
    left_out = Cut()
    for piece in middle[:-1]:
        if over - left_out.size <= 0:
            break
        left_out += Cut((piece.number,), piece.lines, piece.size)
    return left_out


def _head(ordered: Sequence[Piece], limit: int) -> int:
    """Count the pieces that fit into the head; the first always does."""
    size = 0
    for count, piece in enumerate(ordered):
        size += piece.size
        if size > limit:
            return max(count, 1)
    return len(ordered)
