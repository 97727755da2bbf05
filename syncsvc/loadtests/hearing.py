"""What was heard of a container's log, in memory: it may be gone before a cycle reads it.

Of a log that grows large, what a cycle has kept is forgotten here, but for what comes again at
the seam. When there is no room for what nobody has kept, the log is not whole any more.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, takewhile

from syncsvc.loadtests.seam import MARGIN, Cursor, joined
from syncsvc.loadtests.stamps import parted, second_of, split

END = b"\n"
LEAST = 2  # lines that are remembered in any case: the last, and one that it is joined to


@dataclass
class Room:
    """How much may be heard at once: logs, and bytes of each and of all.

    A log that is not larger than `small` is remembered from its start.
    """

    logs: int = 200
    size: int = 64_000_000
    of_one: int = 8_000_000
    small: int = 256_000
    taken: int = field(default=0, init=False)  # logs
    used: int = field(default=0, init=False)  # bytes

    @property
    def is_full(self) -> bool:
        return self.taken >= self.logs


@dataclass
class Heard:
    """The lines of one log, in their order, over all the streams that gave them.

    `lost` counts the bytes that had to go before a cycle kept them, and `gap` says that lines
    between two streams may be missing; a cycle that has read on from there makes up for both.
    """

    room: Room
    lost: int = field(default=0, init=False)
    gap: bool = field(default=False, init=False)
    fresh: int = field(default=0, init=False)  # bytes since a cycle has last kept some
    _lines: deque[bytes] = field(default_factory=deque, init=False)
    _size: int = field(default=0, init=False)
    _missing: datetime | None = field(default=None, init=False)  # when the last of it was written
    _before: Cursor | None = field(default=None, init=False)  # a stream's first lines are awaited
    _again: list[bytes] = field(default_factory=list, init=False)
    _in_doubt: bool = field(default=False, init=False)  # the last line

    def __post_init__(self) -> None:
        self.room.taken += 1

    def begin(self) -> datetime | None:
        """Begin another stream, and say from when on it has to give lines: None is the start.

        The last line comes again as well, for it may have been cut.
        """
        self._again, self._before, self._in_doubt = [], None, bool(self._lines)
        if len(self._lines) < LEAST:
            return None
        self._before = joined(Cursor(), b"".join(self._window())).cursor
        return self._before.since

    def take(self, line: bytes) -> None:
        """Take the stream's next line."""
        line = line if line.endswith(END) else line + END
        if self._before is None:
            self._add([line])
            return
        self._again.append(line)
        if len(self._again) > self._before.window_lines:
            self._close_seam(self._before)

    def text(self, since: datetime | None, limit: int | None) -> bytes:
        """Give it as a cluster gives a log."""
        wanted = (line for line, at in self._moments() if since is None or at >= since)
        return b"".join(wanted)[:limit]

    def forget(self, kept: Cursor) -> None:
        """Forget what a cycle has kept, unless all of it is small."""
        self.fresh = 0
        if self._missing and kept.since and kept.since > self._missing:
            self.lost, self.gap, self._missing = 0, False, None
        if kept.since is None or self._size <= self.room.small:
            return
        since, comes_again = kept.since, len(self._window()) + 1
        old = sum(1 for _ in takewhile(lambda each: each[1] < since, self._moments()))
        for _ in range(min(old, len(self._lines) - comes_again)):
            self._drop()

    def close(self) -> None:
        """Give the room back."""
        self._size_by(-self._size)
        self._lines.clear()
        self.room.taken -= 1

    def _close_seam(self, before: Cursor) -> None:
        news = joined(before, b"".join(self._again))
        fresh = split(news.fresh)
        if news.gap or news.odd is not None:
            self.gap, self._in_doubt = True, False  # the last line has not come again
            self._misses((fresh or self._again)[0])
        self._before, self._again = None, []
        self._add(fresh)

    def _add(self, lines: Sequence[bytes]) -> None:
        if lines and self._in_doubt:
            self._size_by(-len(self._lines.pop()))
            self._in_doubt = False
        for line in lines:
            self._lines.append(line)
            self._size_by(len(line))
            self.fresh += len(line)
        while len(self._lines) > LEAST and (
            self._size > self.room.of_one or self.room.used > self.room.size
        ):
            self._misses(self._lines[0])
            self.lost += self._drop()

    def _misses(self, line: bytes) -> None:
        moment = parted(line)[0]
        at = second_of(moment or 0)
        self._missing = max(at, self._missing or at)

    def _drop(self) -> int:
        size = len(self._lines.popleft())
        self._size_by(-size)
        return size

    def _size_by(self, size: int) -> None:
        self._size += size
        self.room.used += size

    def _window(self) -> Sequence[bytes]:
        """Give the lines before the last, as far back as they come again."""
        found: list[bytes] = []
        latest: datetime | None = None
        for line in islice(reversed(self._lines), 1, None):
            moment = parted(line)[0]
            if moment is not None:
                latest = latest or second_of(moment)
                if second_of(moment) < latest - MARGIN:
                    break
            found.append(line)
        return found[::-1]

    def _moments(self) -> Iterator[tuple[bytes, datetime]]:
        """Give each line and its second; one without goes with the line before it."""
        last = second_of(0)
        for line in self._lines:
            moment = parted(line)[0]
            last = last if moment is None else second_of(moment)
            yield line, last
