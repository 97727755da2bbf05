"""JUnit XML in its dialects, and NUnit's `test-case`, read as testit-cli reads them.

Where we differ from it, docs/reference/reports.md says why.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from syncsvc.results.pushed.model import Result, StatusWord
from syncsvc.results.reports.attachments import existing
from syncsvc.results.reports.cases import Case, Kind
from syncsvc.results.reports.markup import Markup
from syncsvc.results.reports.model import BadReport, Found, Naming, NoTests, test_name
from syncsvc.results.reports.quantities import instant, milliseconds
from syncsvc.results.reports.remarks import Remarks
from syncsvc.results.reports.texts import LONGEST_PLACE, LONGEST_VALUE, capped, shortened

CASES = frozenset({"testcase", "test-case"})
KEPT = ("file", "line", "assertions", "value_param", "type_param")  # attributes kept as properties
FAILED_WORDS = frozenset({"failed", "failure", "fail"})
BROKEN_WORDS = frozenset({"error", "cancelled", "broken"})
SKIPPED_WORDS = frozenset(
    {"skipped", "ignored", "inconclusive", "suppressed", "notrunnable", "notrun", "disabled"}
)


def read_junit(path: Path, file: BinaryIO, naming: Naming) -> Iterator[Found]:
    """Give the results in a report one by one; raises BadReport."""
    tests = _Tests(path, naming)
    markup = Markup(path, tests)
    count = 0
    for _ in markup.read(file):
        yield from tests.found
        count += len(tests.found)
        tests.found.clear()
    tests.remarks.end()
    if not count:
        raise NoTests(
            f"{path}:{markup.line}: no testcase in <{tests.root}>; a report has at least one"
        )


class _Tests:
    """Takes elements and makes results of those that are tests."""

    def __init__(self, path: Path, naming: Naming) -> None:
        self.found: list[Found] = []
        self.root = ""
        self.remarks = Remarks(path)
        self._path = path
        self._naming = naming
        self._cases: list[Case] = []

    def start(self, name: str, attributes: dict[str, str], line: int) -> bool:
        if name in CASES:
            self._cases.append(Case(attributes, line))
            return False
        if self._cases:
            return self._cases[-1].start(name, attributes)
        self.root = self.root or name[:80]
        return False

    def text(self, text: str) -> None:
        self._cases[-1].text(text)

    def end(self, name: str) -> bool:
        if not self._cases:
            return False
        if name not in CASES:
            return self._cases[-1].end()
        self.found.append(self._result(self._cases.pop()))
        return False

    def _result(self, case: Case) -> Found:
        said = case.attributes
        name = said.get("name")
        if name is None:
            raise BadReport(f"{self._path}:{case.line}: a testcase without a name; give it one")
        place = test_name(self._naming, said.get("classname"), name)
        result = Result(
            external_id=place.external_id,
            status=_status(case, ignore_flaky=self._naming.ignore_flaky),
            name=shortened(name) or None,
            namespace=shortened(place.namespace, LONGEST_PLACE),
            classname=shortened(place.classname, LONGEST_PLACE),
            layer=self._naming.layer,
            started_at=self._instant(case, "timestamp", "start-time"),
            finished_at=self._instant(case, "end-time"),
            duration_ms=self._duration(case),
            message=case.message(),
            traces=case.traces(),
            properties=_properties(case),
        )
        paths = case.paths
        return Found(result, existing(paths, self.remarks, case.line) if paths else ())

    def _duration(self, case: Case) -> int | None:
        said = case.attributes.get("time") or case.attributes.get("duration")
        if not said:
            return None
        try:
            return milliseconds(said)
        except ValueError:
            self.remarks.say("a duration is left out", case.line, found=said[:80])
            return None

    def _instant(self, case: Case, *names: str) -> datetime | None:
        said = next((case.attributes[name] for name in names if name in case.attributes), None)
        if not said:
            return None
        try:
            return instant(said)
        except ValueError:
            self.remarks.say("a timestamp is left out", case.line, found=said[:80])
            return None


def _status(case: Case, *, ignore_flaky: bool) -> StatusWord:
    kinds = case.kinds
    if Kind.FAILED in kinds or (Kind.FLAKY in kinds and not ignore_flaky):
        return "failed"
    if Kind.BROKEN in kinds:
        return "broken"
    if Kind.SKIPPED in kinds:
        return "skipped"
    return "passed" if Kind.FLAKY in kinds else _said_status(case.attributes)


def _said_status(attributes: dict[str, str]) -> StatusWord:
    """Give the status of a test without a failure: some dialects say it in an attribute."""
    words = {attributes.get(name, "").lower() for name in ("result", "status")}
    if words & FAILED_WORDS:
        return "failed"
    if words & BROKEN_WORDS:
        return "broken"
    return "skipped" if words & SKIPPED_WORDS or _not_run(attributes) else "passed"


def _not_run(attributes: dict[str, str]) -> bool:
    return attributes.get("executed", "").lower() == "false"


def _properties(case: Case) -> dict[str, str]:
    attributes = case.attributes
    said = {name: capped(attributes[name], LONGEST_VALUE) for name in KEPT if attributes.get(name)}
    name = attributes["name"]
    if len(name) > len(shortened(name)):
        said["full name"] = capped(name, LONGEST_VALUE)
    return said | case.properties
