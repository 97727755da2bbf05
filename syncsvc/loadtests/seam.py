"""Joins reads of a container's log so that each line is kept once: no gap, and none twice.

A read asks for a second and gets every line that is not older, in the log's own order. Those of
them that are kept already come first; the cursor knows how many they are and their digest, so
texts, equal moments and clocks that go back do not matter. A clock that goes back further than
the margin hides lines from such reads: the whole log, read once more at the end, brings them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from syncsvc.loadtests.stamps import nanoseconds_of, parted, second_of, split

MARGIN = timedelta(seconds=1)
START = ""
LONGEST_ODD = 200  # bytes of what came instead of a log that are told


@dataclass(frozen=True, slots=True)
class Cursor:
    """What is kept of a log. Ask for `since` next; None: for all of it.

    The window is what is kept from that second on, and comes again. `moment` is the last line's,
    in nanoseconds, and `at_moment` the number of lines at the end that have it.
    """

    since: datetime | None = None
    window_lines: int = 0
    window_bytes: int = 0
    window_digest: str = START
    lines: int = 0
    size: int = 0
    digest: str = START
    first_digest: str = START
    moment: int | None = None
    at_moment: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """What a read has brought: `fresh` is to be kept, after what is or instead of it.

    `gap`: lines before these may be missing, for the log was rotated. `blocked`: the limit cut
    the read before anything new; ask for more bytes. `odd` is what came instead of a log. A
    stream goes on with `held` put before its next bytes.
    """

    cursor: Cursor
    fresh: bytes = b""
    lines: int = 0
    replaces: bool = False
    gap: bool = False
    blocked: bool = False
    odd: str | None = None
    held: bytes = b""


def joined(
    cursor: Cursor,
    read: bytes,
    *,
    is_whole: bool = False,
    is_last: bool = False,
    was_cut: bool = False,
) -> News:
    """Find what is new in a read from `cursor.since` on, or in one of the whole log.

    The last read may end without a newline; any other such end is a line that is not all there.
    `was_cut` says that the limit was reached.
    """
    lines = split(read)
    partial = lines.pop() if lines and not is_last and not lines[-1].endswith(b"\n") else b""
    if lines and parted(lines[0])[0] is None:
        return News(cursor, odd=lines[0][:LONGEST_ODD].decode(errors="replace").strip())
    known = _known(cursor, lines, is_whole=is_whole or cursor.since is None)
    if known is not None:
        news = _taken(cursor, lines, known)
    elif was_cut:
        news = News(cursor)
    else:
        news = _mended(cursor, lines, is_whole=is_whole)
    stuck = was_cut and not news.fresh
    return replace(news, held=news.held + partial, blocked=stuck)


def _known(cursor: Cursor, lines: Sequence[bytes], *, is_whole: bool) -> int | None:
    """Say how many of the lines are kept; None: they do not begin with what should be there."""
    count = cursor.lines if is_whole else cursor.window_lines
    digest = cursor.digest if is_whole else cursor.window_digest
    return count if len(lines) >= count and chained(lines[:count]) == digest else None


def _mended(cursor: Cursor, lines: Sequence[bytes], *, is_whole: bool) -> News:
    """Join by moments where the digest does not fit."""
    if not lines:
        return News(cursor)
    if is_whole and chained(lines[:1]) == cursor.first_digest:
        return replace(_taken(Cursor(), lines, 0), replaces=True)
    moments = list(_moments(lines))
    same = [index for index, moment in enumerate(moments) if moment == cursor.moment]
    if same:
        return _taken(cursor, lines, same[min(len(same), cursor.at_moment) - 1] + 1)
    last = cursor.moment or 0
    older = [index for index, moment in enumerate(moments) if moment < last]
    return replace(_taken(cursor, lines, older[-1] + 1 if older else 0), gap=True)


def _taken(cursor: Cursor, lines: Sequence[bytes], known: int) -> News:
    fresh = lines[known:]
    moments = list(_moments(lines))
    if not fresh:
        return News(cursor, held=b"".join(_window(lines, moments, cursor.since)))
    since = _since(cursor.since, moments[-1])
    window = _window(lines, moments, since)
    after = Cursor(
        since=since,
        window_lines=len(window),
        window_bytes=sum(map(len, window)),
        window_digest=chained(window),
        lines=cursor.lines + len(fresh),
        size=cursor.size + sum(map(len, fresh)),
        digest=chained(fresh, cursor.digest),
        first_digest=cursor.first_digest or chained(fresh[:1]),
        moment=moments[-1],
        at_moment=_at_end(moments),
    )
    return News(after, b"".join(fresh), len(fresh), held=b"".join(window))


def _since(before: datetime | None, moment: int) -> datetime:
    """Never go back: what is kept from before that second on is not at hand any more."""
    since = second_of(moment) - MARGIN
    return since if before is None else max(before, since)


def _window(
    lines: Sequence[bytes], moments: Sequence[int], since: datetime | None
) -> Sequence[bytes]:
    if since is None:
        return lines
    first = nanoseconds_of(since)
    return [line for line, moment in zip(lines, moments, strict=True) if moment >= first]


def _at_end(moments: Sequence[int]) -> int:
    count = 0
    while count < len(moments) and moments[-1 - count] == moments[-1]:
        count += 1
    return count


def _moments(lines: Iterable[bytes]) -> Iterator[int]:
    """Give each line's moment; one without goes with the line before it."""
    last = 0
    for line in lines:
        moment = parted(line)[0]
        last = last if moment is None else moment
        yield last


def chained(lines: Iterable[bytes], before: str = START) -> str:
    """Chain the digests of lines, so that it can be gone on with from what is stored."""
    digest = bytes.fromhex(before)
    for line in lines:
        digest = blake2b(digest + line, digest_size=16).digest()
    return digest.hex()
