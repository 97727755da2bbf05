"""The files that a report names; a report is not trusted, so they must lie below known folders."""

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from syncsvc.results.reports.remarks import Remarks

MOST_FILES = 100  # of one test
LONGEST_PATH = 4096  # characters
_OPENING = "[[ATTACHMENT|"
_MARK = re.compile(r"\[\[ATTACHMENT\|([^\r\n]{1,4096}?)\]\]")


class Marks:
    """Finds `[[ATTACHMENT|path]]` in a text that comes in pieces."""

    __slots__ = ("_rest", "paths")

    def __init__(self) -> None:
        self.paths: list[str] = []
        self._rest = ""

    def look(self, text: str) -> None:
        if self._rest:
            text = self._rest + text
        end = 0
        if _OPENING in text:
            for mark in _MARK.finditer(text):
                end = mark.end()
                if len(self.paths) <= MOST_FILES:
                    self.paths.append(mark[1].strip())
        self._rest = _unfinished(text, end)


def _unfinished(text: str, end: int) -> str:
    """Give the end of a text if a mark may begin there."""
    start = text.rfind("[[", max(end, len(text) - LONGEST_PATH - len(_OPENING)))
    if start >= 0:
        return text[start:]
    return "[" if text.endswith("[") else ""


def existing(paths: Iterable[str], remarks: Remarks, line: int) -> tuple[Path, ...]:
    """Give those files that are there and may be sent; of the others a warning is left."""
    files: dict[Path, None] = {}
    for path in paths:
        if len(files) >= MOST_FILES:
            remarks.say("a test has too many attachments", line, most=MOST_FILES)
            break
        file, trouble = _find(path, remarks.report)
        if file is not None:
            files[file] = None
        else:
            remarks.say("an attachment is left out", line, attachment=path[:200], reason=trouble)
    return tuple(files)


def _find(path: str, report: Path) -> tuple[Path | None, str]:
    try:
        roots = [report.resolve().parent, Path.cwd().resolve()]
        return _below(roots, _local(path))
    except (OSError, ValueError, RuntimeError):
        return None, "no path of this system"  # a NUL, a loop of links, a name too long


def _below(roots: list[Path], path: str) -> tuple[Path | None, str]:
    trouble = "not there"
    for root in roots:
        file = (root / path).resolve()
        if not file.is_file():
            continue
        if any(file.is_relative_to(allowed) for allowed in roots):
            return file, ""
        trouble = "neither below the report's folder nor below the current one"
    return None, trouble


def _local(path: str) -> str:
    if path.startswith("file://"):
        return unquote(urlsplit(path).path)
    return path
