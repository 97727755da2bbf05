"""CTRF, the Common Test Report Format (https://ctrf.io): its tests read into results."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec

from syncsvc.results.pushed.model import Link, Result, StatusWord, Step
from syncsvc.results.reports.attachments import existing
from syncsvc.results.reports.ctrf_shape import DECODER, Attachment, Attempt, Test
from syncsvc.results.reports.model import (
    NO_NAMESPACE,
    BadReport,
    Found,
    Naming,
    NoTests,
    TestName,
    named,
    test_name,
)
from syncsvc.results.reports.pieces import Pieces
from syncsvc.results.reports.quantities import bounded, since_epoch
from syncsvc.results.reports.remarks import Remarks
from syncsvc.results.reports.texts import (
    LONGEST_PLACE,
    LONGEST_VALUE,
    capped,
    joined,
    shortened,
)

MOST_STEPS = 500  # of one test
MOST_ATTEMPTS = 20
MOST_LABELS = 100
LONGEST_URL = 2000
LONGEST_TITLE = 200

STATUSES: Mapping[str, StatusWord] = {
    "passed": "passed",
    "failed": "failed",
    "skipped": "skipped",
    "pending": "skipped",
    "other": "blocked",
}
BROKEN_WORDS = frozenset({"error", "errored", "broken", "crashed"})  # of rawStatus
_PROPERTIES = (
    ("id", "id"),
    ("file_path", "file"),
    ("line", "line"),
    ("raw_status", "rawStatus"),
    ("type", "type"),
    ("retries", "retries"),
    ("flaky", "flaky"),
    ("thread_id", "threadId"),
    ("browser", "browser"),
    ("device", "device"),
    ("ai", "ai"),
)


def read_ctrf(path: Path, file: BinaryIO, naming: Naming) -> Iterator[Found]:
    """Give the results in a report one by one; raises BadReport."""
    remarks = Remarks(path)
    count = 0
    for piece, line in Pieces(path, file):
        count += 1
        yield _found(_decoded(path, piece, line), naming, remarks, line)
    remarks.end()
    if not count:
        raise NoTests(f"{path}:1: no test in `results.tests`; a report has at least one")


def _decoded(path: Path, piece: bytes, line: int) -> Test:
    try:
        return DECODER.decode(piece)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadReport(f"{path}:{line}: a test that is not CTRF's: {error}; mend it") from error


def _found(test: Test, naming: Naming, remarks: Remarks, line: int) -> Found:
    if test.screenshot:
        remarks.say("an embedded screenshot is left out: attach it as a file", line)
    attached = [item for attempt in _attempts(test) for item in attempt.attachments or ()]
    attached.extend(test.attachments or ())
    paths = [item.path for item in attached if not _is_url(item.path)]
    files = existing(paths, remarks, line) if paths else ()
    return Found(_result(test, naming, remarks, line, attached), files)


def _result(
    test: Test, naming: Naming, remarks: Remarks, line: int, attached: Sequence[Attachment]
) -> Result:
    place = _place(test, naming)
    return Result(
        external_id=place.external_id,
        status=_status(test),
        name=shortened(test.name) or None,
        namespace=shortened(place.namespace, LONGEST_PLACE),
        classname=shortened(place.classname, LONGEST_PLACE),
        layer=naming.layer,
        labels=_labels(test),
        started_at=_instant(test.start, remarks, line),
        finished_at=_instant(test.stop, remarks, line),
        duration_ms=_duration(test.duration, remarks, line),
        message=capped(test.message) if test.message else None,
        traces=_traces(test),
        parameters={_key(k): _value(v) for k, v in (test.parameters or {}).items()},
        properties=_properties(test),
        links=_links(attached),
        steps=_steps(test),
    )


def _place(test: Test, naming: Naming) -> TestName:
    """Name a test by its suite, else by its file; a path of suites is a namespace and a class."""
    suite = test.suite or _relative(test.file_path)
    if suite is None or isinstance(suite, str):
        return test_name(naming, suite, test.name)
    namespace = (naming.separator or ".").join(suite[:-1]) or NO_NAMESPACE
    return named(naming, namespace, suite[-1], test.name)


def _relative(path: str | None) -> str | None:
    """Give a path that is the same on every machine."""
    if not path or PurePosixPath(path).is_absolute() or path[1:2] == ":":
        return None
    return path


def _status(test: Test) -> StatusWord:
    status = STATUSES[test.status]
    says_broken = (test.raw_status or "").lower() in BROKEN_WORDS
    return "broken" if says_broken and test.status in {"failed", "other"} else status


def _attempts(test: Test) -> Sequence[Attempt]:
    return (test.retry_attempts or test.attempts or ())[:MOST_ATTEMPTS]


def _traces(test: Test) -> str | None:
    texts = [capped(test.trace or "")]
    texts.extend(_attempt_text(attempt) for attempt in _attempts(test))
    for title, lines in (("stdout", test.stdout), ("stderr", test.stderr)):
        if lines:
            texts.append(f"--- {title} ---\n" + capped("\n".join(lines)))
    if test.snippet:
        texts.append(f"--- snippet ---\n{capped(test.snippet)}")
    return joined(texts)


def _attempt_text(attempt: Attempt) -> str:
    text = joined([capped(attempt.message or ""), capped(attempt.trace or "")])
    number = attempt.attempt or "?"
    return f"--- attempt {number}: {attempt.status or 'unknown'} ---\n{text}" if text else ""


def _labels(test: Test) -> Sequence[str]:
    labels = list(test.tags or ())
    for name, value in (test.labels or {}).items():
        values = value if isinstance(value, list) else [value]
        labels.extend(f"{name}::{_value(one)}" for one in values)
    return tuple(dict.fromkeys(shortened(label) for label in labels if label))[:MOST_LABELS]


def _properties(test: Test) -> dict[str, str]:
    properties = {_key(k): _value(v) for k, v in (test.extra or {}).items()}
    for field, name in _PROPERTIES:
        value = getattr(test, field)
        if value is not None:
            properties[name] = _value(value)
    if len(test.name) > len(shortened(test.name)):
        properties["full name"] = capped(test.name, LONGEST_VALUE)
    return properties


def _links(attached: Sequence[Attachment]) -> Sequence[Link]:
    return tuple(
        Link(url=item.path, title=shortened(item.name, LONGEST_TITLE) or None)
        for item in attached
        if _is_url(item.path)
    )


def _steps(test: Test) -> Sequence[Step]:
    steps = [
        Step(name=capped(step.name, LONGEST_VALUE), status=step.status and STATUSES[step.status])
        for step in (test.steps or ())[:MOST_STEPS]
    ]
    left = len(test.steps or ()) - MOST_STEPS
    if left > 0:
        steps.append(Step(name=f"[... {left} more steps ...]"))
    return tuple(steps)


def _is_url(path: str) -> bool:
    return path.startswith(("http://", "https://")) and len(path) <= LONGEST_URL


def _key(name: str) -> str:
    return capped(name, LONGEST_VALUE)


def _value(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return capped(text, LONGEST_VALUE)


def _duration(value: float | None, remarks: Remarks, line: int) -> int | None:
    if value is None:
        return None
    try:
        return bounded(value)
    except ValueError:
        remarks.say("a duration is left out", line, found=value)
        return None


def _instant(value: float | None, remarks: Remarks, line: int) -> datetime | None:
    if not value:
        return None  # reporters write 0 for what they do not know
    try:
        return since_epoch(value)
    except ValueError:
        remarks.say("a time is left out", line, found=value)
        return None
