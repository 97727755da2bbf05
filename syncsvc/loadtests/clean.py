"""Shows a log as a person wants to read it; what is kept stays as it came.

Colours go, a progress bar that rewrote itself shows its last state, and what was a progress line
is known for one, so that it can be left out.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from syncsvc.loadtests.stamps import parted, second_of, split

LEVELS = ("trace", "debug", "info", "warning", "error", "fatal", "panic")
LONGEST_BAR = 500  # characters

_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_]|[()][0-9A-Za-z])"
)
_RUNNING = re.compile(r"\s*(?:running|paused) \([\dhms.]+\), \d+/\d+ VUs\b")
_BAR = re.compile(
    r"\s*[\w\-…]+\s+[✓✗↓•]?\s*\[(?:\s*\d{1,3}%\s*|(?=[^\]]*[=>-])[=>\-\s]+)\](?:\s|$)"
)
_PAIR = re.compile(r'([A-Za-z_][\w.\-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s+|$)')
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What k6 itself says in a line of its log, when it writes pairs or JSON."""

    message: str
    level: str | None = None
    time: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line to show; `at` is when the container wrote it, `nanoseconds` to the last digit."""

    text: str
    at: datetime | None = None
    nanoseconds: int | None = None
    is_progress: bool = False

    @property
    def entry(self) -> Entry | None:
        """What k6 itself says in it, read anew each time."""
        return entry(self.text)


def shown(log: bytes) -> Iterator[Line]:
    """Show each line of a stored log."""
    for raw in split(log):
        yield line(raw)


def line(raw: bytes) -> Line:
    """Show one stored line, with or without its moment."""
    nanoseconds, rest = parted(raw)
    text = cleaned(rest)
    at = None if nanoseconds is None else second_of(nanoseconds)
    return Line(text, at, nanoseconds, is_progress(text))


def cleaned(raw: bytes) -> str:
    """Decode what is not always UTF-8, without colours, and only the last state of a bar."""
    text = raw.decode(errors="replace").rstrip("\r\n")
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    text = text.replace("\0", "")
    if "\r" not in text:
        return text if text.strip() else ""
    states = [state for state in text.split("\r") if state.strip()]
    return states[-1] if states else ""


def is_progress(text: str) -> bool:
    """Tell a line that says how far a test is from one that a reader looks for."""
    if len(text) > LONGEST_BAR:
        return False
    return _RUNNING.match(text) is not None or _BAR.match(text) is not None


def entry(text: str) -> Entry | None:
    """Read a line of k6's log: pairs such as `level=info msg="..."`, or JSON."""
    if text.startswith('{"'):
        return _entry(_object(text))
    if not text.startswith(("time=", "level=")):
        return None
    return _entry(_pairs(text))


def _entry(fields: dict[str, str]) -> Entry | None:
    if "level" not in fields and "msg" not in fields:
        return None
    level = fields.get("level")
    level = "warning" if level == "warn" else level
    return Entry(fields.get("msg", ""), level, fields.get("time"), fields.get("source"))


def _object(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    wanted = ("level", "msg", "time", "source")
    return {key: str(found[key]) for key in wanted if key in found}


def _pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    place = 0
    while (found := _PAIR.match(text, place)) is not None and found.end() > place:
        pairs.setdefault(found[1], _unquoted(found[2]))
        place = found.end()
    return pairs


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _ESCAPE.sub(_unescaped, value[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    two, four, eight, plain = found.groups()
    number = int(two or four or eight or "0", 16)
    if plain is not None:
        return _PLAIN.get(plain, plain)
    is_character = number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    return chr(number) if is_character else "�"
