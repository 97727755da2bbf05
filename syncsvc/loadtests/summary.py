"""Finds the end-of-test summary in a runner's log, in whatever way k6 gave it."""

import re
from collections.abc import Sequence

from syncsvc.loadtests import summary_json, summary_text
from syncsvc.loadtests.clean import cleaned, entry, is_progress
from syncsvc.loadtests.stamps import parted, split
from syncsvc.loadtests.summary_rows import ALL, PLAIN, Row, parted_name

TAIL = 4_000_000  # bytes: a summary is the last that k6 writes, however much the script has logged

_LOGGED = ("time=", "level=")
_CROSSED = re.compile(r"thresholds on metrics '(.*)' have been crossed")


def summary(log: bytes) -> list[Row]:
    """Read a log's summary into rows: the printed one, or else one in JSON.

    Without either, k6's last words still tell which metrics have crossed thresholds. What k6 or
    the script logged in between is not part of it.
    """
    lines = [cleaned(parted(line)[1]) for line in split(log[-TAIL:])]
    texts = [line for line in lines if not _is_logged(line) and not is_progress(line)]
    return summary_text.rows(texts) or summary_json.rows(texts) or _last_words(lines)


def _is_logged(line: str) -> bool:
    return line.startswith(_LOGGED) or (line.startswith('{"') and entry(line) is not None)


def _last_words(lines: Sequence[str]) -> list[Row]:
    """Find what k6 said at the end; a script may say the same, but has a source."""
    for line in reversed(lines):
        found = _CROSSED.search(line)
        said = entry(line) if found else None
        if found is not None and (said is None or said.source is None):
            return [_crossed(name) for name in found[1].split(", ")]
    return []


def _crossed(name: str) -> Row:
    metric, scope = parted_name(name)
    return Row(metric, "thresholds", None, PLAIN, scope, ALL, ok=False)
