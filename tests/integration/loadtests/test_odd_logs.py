"""Logs that are large, or not what one expects of text, are kept byte by byte."""

import base64
import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from syncsvc.loadtests.capping import Cap
from syncsvc.loadtests.cycle import CycleTerms
from syncsvc.loadtests.model import LogsState
from syncsvc.loadtests.ports import KeptLog
from syncsvc.loadtests.showing import Told, WhichLines, WhichLogs
from syncsvc.loadtests.stamps import split
from tests.integration.loadtests.watched import SUMMER, Watched, a_watched
from tests.support.kubernetes import NAMESPACE

MEGABYTE = 1_000_000
CAP = Cap(head=2 * MEGABYTE, tail=6 * MEGABYTE)
MOMENT = SUMMER.isoformat()
ODD = (
    b"\xff\xfe invalid \xc3\x28 UTF-8 \xf0\x9f\x98",
    b"a NUL \x00 in the middle\x00",
    b"\rcarriage\rreturns\r",
    b"\r",
    b"",
    b" ",
    b"\x1b[31mred\x1b[0m\x1b[K",
    "separators \u2028 and \u2029 \x85 \x0b \x0c".encode(),
    b"2026-07-01T12:00:00Z looks like a moment",
    b"\\ud800 \\u0000",
)


@pytest.fixture
async def world(sqlite) -> AsyncIterator[Watched]:
    async with a_watched(sqlite) as watched:
        await watched.k8s.testruns(name="load", parallelism=1, until="started")
        await watched.watch("load")
        yield watched


async def test_bytes_that_are_no_text_are_kept_as_they_are(world):
    for _ in range(3):
        await emit(world, ODD)
        await world.cycle()
    await is_over(world)

    step = await world.step("load")
    [log] = await world.showing.kept(step, WhichLogs(container="k6", runner=1))
    assert step.logs is LogsState.COMPLETE
    assert await world.kept(step) == world.emitted("load")
    assert all("\x00" not in told.line.text for told in await shown(world, log))


async def test_lines_of_a_megabyte_are_kept_whole(world):
    chance = random.Random(6)
    for _ in range(3):
        await emit(world, [chance.randbytes(MEGABYTE).replace(b"\n", b" "), b"short"])
        await world.cycle()
    await is_over(world)

    step = await world.step("load")
    assert step.logs is LogsState.COMPLETE
    assert await world.kept(step) == world.emitted("load")


async def test_thousands_of_lines_of_one_moment_are_neither_lost_nor_doubled(world):
    """They come in several portions, and many are the same."""
    for portion in range(5):
        texts = [f"line {number % 7}" for number in range(3_000 + portion)]
        await world.emit("load", texts=texts, at=MOMENT, gap=0)
        await world.cycle()
    await is_over(world)

    step = await world.step("load")
    assert step.logs is LogsState.COMPLETE
    assert await world.kept(step) == world.emitted("load")


@pytest.mark.parametrize("gap", [timedelta(milliseconds=2), timedelta(0)], ids=str)
async def test_a_log_beyond_its_cap_keeps_its_head_and_tail_and_a_mark_of_the_cut(world, gap):
    world.terms = CycleTerms(cap=CAP)
    write(world, 12_000, gap)

    await world.cycle()
    await is_over(world)

    step = await world.step("load")
    [log] = await world.showing.kept(step, WhichLogs(container="k6", runner=1))
    kept = (await world.kept(step))[log.source.pod, "k6"]
    emitted = world.emitted("load")[log.source.pod, "k6"]
    assert step.logs is LogsState.COMPLETE
    assert len(kept) <= CAP.head + CAP.tail
    check_cut(log, kept, emitted)
    [mark] = [told for told in await shown(world, log) if told.is_cut]
    assert f"{log.left_out.lines} lines ({log.left_out.size} bytes)" in mark.line.text


def check_cut(log: KeptLog, kept: bytes, emitted: bytes) -> None:
    """See that head and tail are whole, and that what is between them is counted."""
    assert log.left_out is not None
    assert len(kept) + log.left_out.size == len(emitted)
    assert len(split(kept)) + log.left_out.lines == len(split(emitted))
    head, tail = CAP.head - MEGABYTE, CAP.tail - MEGABYTE
    assert kept[:head] == emitted[:head]
    assert kept[-tail:] == emitted[-tail:]


async def shown(world: Watched, log: KeptLog) -> Sequence[Told]:
    return [told async for told in world.showing.lines(log, WhichLines())]


async def emit(world: Watched, lines: Sequence[bytes]) -> None:
    await world.emit("load", base64=[base64.b64encode(line).decode() for line in lines])


def write(world: Watched, lines: int, gap: timedelta) -> None:
    """Write lines of a kilobyte to the runner's log; a request of that size would be refused."""
    [pod] = [
        each for each in world.k8s.cluster.operator.logs.of(NAMESPACE, "load") if "-1-" in each.pod
    ]
    for number in range(lines):
        pod.write(b"%08d " % number + b"x" * 960, SUMMER + number * gap)


async def is_over(world: Watched) -> None:
    await world.k8s.step("end", name="load")
    await world.cycle()
