"""A JSON document is searched for its tests without ever being whole in memory.

Strings and brackets are all that is looked at; each test is given as the bytes it stands in, so
that a decoder may read it properly. What stands around the tests is only balanced.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from syncsvc.results.reports.model import BadReport, NoTests

CHUNK = 262_144  # bytes read at once
LARGEST = 16 * 1_048_576  # bytes of one test, and of one string elsewhere
DEEPEST = 200  # brackets within each other
WHERE = [b'"results"', b'"tests"']

_TOKEN = re.compile(rb'("(?:[^"\\]++|\\.)*+")(\s*+:)?|[{}\[\]"]', re.DOTALL)
_REST = re.compile(rb"\s*\Z")
_BETWEEN = b" \t\r\n,"  # what may stand between two tests
_OPENS = {b"}": b"{", b"]": b"["}
_ROOM = [b"{", b"{"]  # the brackets around the array of tests
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


class Pieces:
    """Gives the items of `results.tests`, and the line that each begins on; raises BadReport."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._text = b""
        self._at = 0  # up to where it is understood
        self._line = 1
        self._counted = 0  # up to where lines are counted
        self._ended = False
        self._open: list[bytes] = []
        self._keys = [b"", b""]
        self._item: int | None = None  # where the present test begins
        self._inside = False  # the array of tests
        self._seen = False
        self._root_is_to_come = True

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        while not self._ended:
            self._fill()
            yield from self._scan()
        self._end()

    def _fill(self) -> None:
        """Read as much again as is kept, so that a long string is not searched too often."""
        keep = self._at if self._item is None else self._item
        self._count_lines(keep)
        rest = self._text[keep:]
        if len(rest) > LARGEST:
            self._refuse("a test of over 16 MiB", "attach large things as files")
        more = self._file.read(max(CHUNK, len(rest)))
        self._ended = not more
        self._text = rest + more
        self._at -= keep
        self._counted = 0
        self._item = None if self._item is None else 0

    def _scan(self) -> Iterator[tuple[bytes, int]]:
        if self._root_is_to_come and self._text.startswith(_BOM):
            self._at = len(_BOM)
        for token in _TOKEN.finditer(self._text, self._at):
            mark = token[0]
            if mark[:1] == b'"':
                if self._is_cut(token):
                    self._at = token.start()
                    return
                self._string(token)
            elif mark in _OPENS:
                yield from self._close(mark, token)
            else:
                self._open_bracket(mark, token)
            self._at = token.end()
        self._check_gap(len(self._text))
        self._at = len(self._text)

    def _is_cut(self, token: re.Match[bytes]) -> bool:
        """Tell whether the rest of a string, or the colon behind a key, is still to come."""
        if token[1] is None:
            return True
        if self._ended or token[2] or len(self._open) > 2:
            return False
        return _REST.match(self._text, token.end()) is not None

    def _string(self, token: re.Match[bytes]) -> None:
        depth = len(self._open)
        if depth > 3:
            return
        self._check_gap(token.start())
        if depth == 0 or (depth == 3 and self._inside):
            self._refuse("a string", "a report is an object, and so is each of its tests")
        if token[2] and depth < 3:
            self._keys[depth - 1 :] = [token[1]] + [b""] * (2 - depth)

    def _open_bracket(self, mark: bytes, token: re.Match[bytes]) -> None:
        depth = len(self._open)
        if depth < 4:
            self._enter(depth, mark, token.start())
        elif depth >= DEEPEST:
            self._refuse(f"brackets nested deeper than {DEEPEST}", "a report is flatter")
        self._open.append(mark)

    def _enter(self, depth: int, mark: bytes, start: int) -> None:
        self._check_gap(start)
        if depth == 0 and not self._root_is_to_come:
            self._refuse("something behind the end", "a report is one document")
        self._root_is_to_come = False
        if depth == 2 and mark == b"[" and self._open == _ROOM and self._keys == WHERE:
            self._inside = self._seen = True
        elif depth == 3 and self._inside:
            if mark != b"{":
                self._refuse("a test that is a list", "each test is an object")
            self._item = start

    def _close(self, mark: bytes, token: re.Match[bytes]) -> Iterator[tuple[bytes, int]]:
        if not self._open or self._open.pop() != _OPENS[mark]:
            self._refuse(f"'{mark.decode()}' that closes nothing", "brackets come in pairs")
        depth = len(self._open)
        if not self._inside or depth > 3:
            return
        if depth == 3 and self._item is not None:
            self._count_lines(self._item)
            yield self._text[self._item : token.end()], self._line
            self._item = None
        elif depth == 2:
            self._open.append(b"[")  # what stands before the bracket is still between tests
            self._check_gap(token.start())
            self._open.pop()
            self._inside = False

    def _check_gap(self, end: int) -> None:
        """See that nothing but what separates stands between tests, and before the document."""
        depth = len(self._open)
        if depth == 0 or (depth == 3 and self._inside):
            junk = self._text[self._at : end].strip(_BETWEEN if depth else _BLANK)
            if junk:
                self._at = self._text.index(junk, self._at)
                found = junk[:40].decode("utf-8", "replace")
                self._refuse(f"{found!r} where no value may be", "each test is an object")
            self._at = end

    def _end(self) -> None:
        if self._open:
            self._refuse("the file ends in the middle", "its brackets are closed")
        if not self._seen:
            raise NoTests(f"{self._path}:1: JSON without `results.tests`; a CTRF report has it")

    def _count_lines(self, end: int) -> None:
        self._line += self._text.count(b"\n", self._counted, end)
        self._counted = end

    def _refuse(self, found: str, expected: str) -> NoReturn:
        line = self._line + self._text.count(b"\n", self._counted, max(self._at, self._counted))
        raise BadReport(f"{self._path}:{line}: {found}; {expected}")
