"""Which files are reports, and of which kind; the kind is told by content, not by name."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from syncsvc.results.reports.ctrf import read_ctrf
from syncsvc.results.reports.junit import read_junit
from syncsvc.results.reports.model import BadReport, Found, Naming, NoTests
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

SUFFIXES = frozenset({".xml", ".json"})
EXPECTED = "JUnit XML or CTRF JSON"
OPENING = 65_536  # bytes by which a file's kind is told
_BLANK = b" \t\r\n"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_XML = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_CTRF = re.compile(rb'"reportFormat"\s*:\s*"CTRF"|"results"\s*:\s*\{')


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a report; one that a folder brought along need not be."""

    path: Path
    of_folder: bool = False


def read_reports(paths: Sequence[Path], naming: Naming) -> Iterator[Found]:
    """Read files, and what is a report in folders and below, one result at a time.

    The order is that of the paths, sorted within a folder; a file is read once. In a folder, JSON
    that is not CTRF is passed by, and a file without tests is warned of. Raises BadReport when a
    file is no report or a broken one, and when there is none; results before that were given.
    """
    if not paths:
        raise BadReport("no report is named; name files or folders")
    count = 0
    for candidate in _candidates(paths):
        try:
            for found in _read(candidate, naming):
                count += 1
                yield found
        except NoTests as error:
            _pass_by(candidate, error)
    if not count:
        raise BadReport(f"{paths[0]}: no report with tests; expected {EXPECTED}")


def _pass_by(candidate: Candidate, error: NoTests) -> None:
    if not candidate.of_folder:
        raise error
    log.warning("a file in a folder of reports has no tests", found=str(error))


def _candidates(paths: Sequence[Path]) -> Iterator[Candidate]:
    seen: set[Path] = set()
    for path in paths:
        for candidate in _below(path):
            resolved = _resolved(candidate.path)
            if resolved not in seen:
                seen.add(resolved)
                yield candidate


def _below(path: Path) -> Iterator[Candidate]:
    if not os.path.isdir(path):  # noqa: PTH112  # Path's raises for a name that is too long
        yield Candidate(path)
        return
    found: list[Path] = []
    for folder, _, names in os.walk(path, onerror=_unreadable):
        found.extend(Path(folder, name) for name in names if _may_be_report(name))
    if not found:
        raise BadReport(f"{path}: no *.xml and no *.json in this folder; expected {EXPECTED}")
    yield from (Candidate(file, of_folder=True) for file in sorted(found))


def _may_be_report(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122  # a name, not yet a path


def _unreadable(error: OSError) -> None:
    raise BadReport(f"{error.filename}: cannot be listed ({error.strerror}); make it readable")


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise BadReport(f"{path!r}: no path of this system; name a file") from error


def _read(candidate: Candidate, naming: Naming) -> Iterator[Found]:
    path = candidate.path
    try:
        if not path.is_file():
            raise BadReport(f"{path}: {_what_it_is(path)}; name a report or a folder of reports")
        with path.open("rb") as file:
            yield from _results(candidate, file, naming)
    except OSError as error:
        raise BadReport(f"{path}: cannot be read ({error.strerror}); make it readable") from error


def _what_it_is(path: Path) -> str:
    return "not a regular file" if path.exists() else "not there"


def _results(candidate: Candidate, file: BinaryIO, naming: Naming) -> Iterator[Found]:
    opening = file.read(OPENING)
    file.seek(0)
    path = candidate.path
    text = opening.removeprefix(_UTF8_MARK).lstrip(_BLANK)
    if text[:1] == b"<" or opening.startswith(_UTF16_XML):
        return read_junit(path, file, naming)
    if text[:1] == b"{":
        return _json(candidate, file, text, naming)
    if not text:
        raise NoTests(f"{path}:1: an empty file; expected {EXPECTED}")
    line = 1 + opening[: len(opening) - len(text)].count(b"\n")
    found = text[:20].decode("utf-8", "replace")
    raise BadReport(f"{path}:{line}: begins with {found!r}; expected {EXPECTED}")


def _json(candidate: Candidate, file: BinaryIO, text: bytes, naming: Naming) -> Iterator[Found]:
    if candidate.of_folder and not _CTRF.search(text):
        return iter(())
    return read_ctrf(candidate.path, file, naming)
