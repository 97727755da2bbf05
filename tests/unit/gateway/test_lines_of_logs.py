"""Lines of logs on their way to a reader: as text or as JSON, in pieces, and to an end."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from syncsvc.errors import Unavailable
from syncsvc.gateway.k6_lines import PIECE, Lines
from syncsvc.gateway.k6_reading import WhichText
from syncsvc.loadtests.clean import line
from syncsvc.loadtests.ports import KeptLog
from syncsvc.loadtests.showing import Told, WhichLines, WhichLogs
from syncsvc.patterns import Pattern
from tests.support.builders import NOON
from tests.support.load_tests import a_source, a_step, some_lines

ONE = KeptLog(a_source(pod="pod-1"))
OTHER = KeptLog(a_source(pod="pod-2", pod_uid="2", index=2))
STAMPED = b"2026-01-01T12:00:00.5Z "


@dataclass
class Logs:
    """Gives the same lines of every log, and then fails or waits."""

    lines_of_each: list[bytes]
    fails: Exception | None = None
    waits: bool = False
    asked: list[WhichLines] = field(default_factory=list)

    async def lines(self, log: KeptLog, which: WhichLines) -> AsyncIterator[Told]:
        self.asked.append(which)
        for raw in self.lines_of_each:
            yield Told(log.source, line(raw), raw)
        if self.fails is not None:
            raise self.fails

    def following(self, pause):
        @dataclass
        class Following:
            async def lines(following, step, which, wanted, until):  # noqa: N805 - self is the outer one
                async for told in self.lines(ONE, wanted):
                    yield told
                while self.waits:
                    await pause(3600)

        return Following()


def asked(**known) -> WhichText:
    fields = {
        "logs": WhichLogs(),
        "lines": WhichLines(),
        "grep": None,
        "raw": False,
        "follow": False,
        "as_json": False,
    }
    return WhichText(**{**fields, **known})


def lines_of(logs: Logs) -> Lines:
    return Lines(logs, logs.following, lambda: NOON, timedelta(hours=1))


async def given(logs: Logs, which: WhichText, *kept: KeptLog) -> bytes:
    pieces = lines_of(logs).pieces(a_step(), kept or (ONE,), which)
    return b"".join([piece async for piece in pieces])


async def test_one_container_is_given_as_it_reads():
    text = await given(Logs([STAMPED + b"\x1b[32mgreen\x1b[0m\n", STAMPED + b"end"]), asked())

    assert text == b"green\nend\n"


async def test_raw_is_byte_by_byte_as_it_came():
    raws = [STAMPED + b"\x1b[32mgreen\x1b[0m \xff\r\n", STAMPED + b"end"]

    assert await given(Logs(raws), asked(raw=True)) == b"".join(raws)


async def test_of_several_containers_each_line_says_whose_it_is():
    text = await given(Logs([STAMPED + b"a\n", STAMPED + b"b"]), asked(raw=True), ONE, OTHER)

    assert [each.split(b" ")[0] for each in text.splitlines()] == [b"pod-1/k6"] * 2 + [
        b"pod-2/k6"
    ] * 2


@pytest.mark.parametrize(
    ("logs", "start"), [(WhichLogs(), b"pod-1/k6 line"), (WhichLogs("k6", None, 1), b"line")]
)
async def test_what_is_followed_says_whose_it_is_unless_one_container_was_named(logs, start):
    text = await given(Logs([STAMPED + b"line\n"]), asked(logs=logs, follow=True))

    assert text.startswith(start)


async def test_json_has_a_line_for_each_with_its_moment_and_level():
    raw = STAMPED + b'time="2026-01-01T12:00:00Z" level=error msg="no"\n'

    told = json.loads(await given(Logs([raw]), asked(as_json=True)))

    assert told == {
        "at": "2026-01-01T12:00:00.500000000Z",
        "pod": "pod-1",
        "container": "k6",
        "role": "runner",
        "runner": 1,
        "text": 'time="2026-01-01T12:00:00Z" level=error msg="no"',
        "level": "error",
        "is_progress": False,
        "is_cut": False,
    }


async def test_a_pattern_keeps_the_lines_that_it_is_found_in():
    logs = Logs([b"one\n", b"two\n", b"three\n"])

    assert await given(logs, asked(grep=Pattern("grep", "^t.*e$"))) == b"three\n"


async def test_a_mark_of_what_was_left_out_is_no_line_that_a_pattern_leaves_out():
    cut = Told(ONE.source, line(b"... 5 lines were left out ...\n"), b"", is_cut=True)

    @dataclass
    class Cut(Logs):
        async def lines(self, log, which):
            yield cut

    assert b"left out" in await given(Cut([]), asked(grep=Pattern("grep", "error")))


async def test_a_long_log_goes_out_in_pieces():
    logs = Logs([each + b"\n" for each in some_lines(0, 5000).split(b"\n")[:-1]])

    pieces = [piece async for piece in lines_of(logs).pieces(a_step(), [ONE], asked())]

    assert len(pieces) > 1
    assert all(len(piece) >= PIECE for piece in pieces[:-1])


async def test_an_error_behind_lines_that_were_sent_is_the_last_line():
    logs = Logs([b"one\n"], fails=Unavailable("the database is away"))

    text, told = await given(logs, asked()), await given(logs, asked(as_json=True))

    assert text == b"one\n--- syncsvc cannot go on here: the database is away ---\n"
    assert json.loads(told.splitlines()[-1]) == {"error": {"message": "the database is away"}}


async def test_who_follows_comes_to_an_end_when_the_gateway_stops():
    logs = Logs([b"one\n"], waits=True)
    lines = lines_of(logs)
    pieces = lines.pieces(a_step(), [], asked(follow=True))
    assert await anext(pieces) == b"pod-1/k6 one\n"

    lines.stop()

    async with asyncio.timeout(10):
        assert b"".join([piece async for piece in pieces]) == b""
