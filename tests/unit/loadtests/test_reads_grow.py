"""A read brings at least as much news as comes again with it."""

from datetime import timedelta

from syncsvc.loadtests.ports import LogSource
from syncsvc.loadtests.reading import Reader
from syncsvc.loadtests.seam import Cursor
from tests.support.builders import NOON
from tests.support.clusters import FakeCluster, stamped

PIECE = 1_000


async def test_a_log_of_one_moment_is_read_in_ever_larger_pieces():
    cluster = FakeCluster(lambda: NOON)
    cluster.launch("load")
    lines = [stamped(0, f"{number:04} ") for number in range(2_000)]
    cluster.emit("load", b"".join(lines))
    reader = Reader(cluster, "load", PIECE, timedelta(seconds=5))
    source = LogSource("step", "pod", "load-1-x", "k6")

    cursor, read, is_all = Cursor(), b"", False
    while not is_all:
        got = await reader.read(source, cursor)
        cursor, read, is_all = got.news.cursor, read + got.news.fresh, got.is_all

    assert read == b"".join(lines)
    assert len(cluster.reads) < 12
    assert sum(limit for _, _, limit in cluster.reads) < 4 * len(read)
