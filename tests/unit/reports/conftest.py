"""Reports are written into a folder of the test and read from there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from syncsvc.results.pushed.model import Result
from syncsvc.results.reports import Naming, read_reports

Read = Callable[..., list[Result]]


@pytest.fixture
def write(tmp_path):
    def write(content: str | bytes, name: str = "report.xml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def read(write) -> Read:
    """Give the results of a report with this content."""

    def read(content: str | bytes, naming: Naming | None = None) -> list[Result]:
        path = write(content, "report")
        return [found.result for found in read_reports([path], naming or Naming())]

    return read


@pytest.fixture
def read_case(read):
    """Give the one result of a report with these attributes and children of its test."""

    def read_case(inside: str = "", attributes: str = "", naming: Naming | None = None) -> Result:
        [result] = read(
            f'<testsuite><testcase name="t" {attributes}>{inside}</testcase></testsuite>', naming
        )
        return result

    return read_case


@pytest.fixture
def log():
    with capture_logs() as lines:
        yield lines
