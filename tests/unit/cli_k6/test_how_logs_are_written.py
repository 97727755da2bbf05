"""Lines of logs as they are written: clean, named, as JSON, or the bytes as they came."""

import pytest

from syncsvc.cli.loadtests.logs import Wish, Writer
from syncsvc.loadtests.clean import Line, line
from syncsvc.loadtests.showing import Told, WhichLines, WhichLogs
from tests.support.load_tests import a_source

RAW = b"2026-01-01T12:00:00.5Z \x1b[32mhello\x1b[0m\r\n"
HELLO = Told(a_source(), line(RAW), RAW)
CUT = Told(a_source(), Line("... 7 lines were left out ..."), b"...\n", is_cut=True)


def written(capsysbinary: pytest.CaptureFixture[bytes], *, named: bool = False, **how: bool):
    """Give what two lines with a cut between them are on stdout and stderr."""
    writer = Writer(Wish("x", None, WhichLogs(), WhichLines(), **how), live=True, named=named)
    for told in (HELLO, CUT, HELLO):
        writer.write(told)
    return capsysbinary.readouterr()


def test_lines_are_clean_and_a_cut_is_marked_where_it_is(capsysbinary):
    assert written(capsysbinary).out == b"hello\n... 7 lines were left out ...\nhello\n"


def test_with_several_containers_each_line_says_whose_it_is(capsysbinary):
    first = written(capsysbinary, named=True).out.splitlines()[0]

    assert first == b"[step-1-abcde/k6] hello"


def test_bytes_are_as_they_came_and_a_cut_is_told_beside_them(capsysbinary):
    said = written(capsysbinary, raw=True)

    assert said.out == RAW + RAW
    assert said.err == b"step-1-abcde/k6: ... 7 lines were left out ...\n"


def test_each_line_is_an_object_of_json(capsysbinary):
    first, cut, _ = written(capsysbinary, as_json=True).out.splitlines()

    assert b'"at":"2026-01-01T12:00:00.500000000Z"' in first
    assert b'"text":"hello"' in first
    assert b'"is_cut":true' in cut
