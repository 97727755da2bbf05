"""A report of any size is read in bounded memory; it is measured in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(
        not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc"
    ),
    pytest.mark.timeout(360),  # it is memory that is measured, on a machine however slow
]
MIB = 1_048_576
READ = """
import sys
from pathlib import Path
from syncsvc.results.reports import Naming, read_reports

count = sum(1 for _ in read_reports([Path(sys.argv[1])], Naming()))
# Not getrusage: its peak is also that of the process which started this one.
[peak] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(count, int(peak.split()[1]) // 1024)
"""


def peak_of(path: Path, expected: int) -> int:
    """Read a report in a process of its own and give that process's peak memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, peak = done.stdout.split()
    assert int(count) == expected
    return int(peak)


def write_report(path: Path, size: int, start: bytes, item: bytes, end: bytes) -> int:
    """Write items until a file has about this size, and give how many there are."""
    block = item * 1000
    blocks = size // len(block)
    with path.open("wb") as file:
        file.write(start)
        for _ in range(blocks):
            file.write(block)
        file.write(end)
    return blocks * 1000


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "large"
    yield path
    path.unlink(missing_ok=True)


def test_a_junit_report_of_200_mib_stays_small(path):
    case = (
        b'<testcase classname="tests.a.B" name="test_something" time="0.012">'
        b'<failure message="assert 1 == 2">' + b"def test(): pass &gt;\n" * 80 + b"</failure>"
        b"<system-out><![CDATA[" + b"line of output\n" * 60 + b"]]></system-out></testcase>\n"
    )
    count = write_report(path, 200 * MIB, b"<testsuite>", case, b"</testsuite>")

    assert peak_of(path, count) < 80


def test_one_junit_text_of_200_mib_stays_small(path):
    case = b"<testcase name='a'><system-out>"
    write_report(path, 200 * MIB, case, b"a line of output\n", b"</system-out></testcase>")

    assert peak_of(path, 1) < 80


def test_a_ctrf_report_of_200_mib_stays_small(path):
    test = b'{"name":"t","status":"failed","suite":["a"],"trace":"' + b"at line\\n" * 250 + b'"},'
    last = b'{"name":"last","status":"passed"}]}}'
    count = write_report(path, 200 * MIB, b'{"results":{"tests":[', test, last)

    assert peak_of(path, count + 1) < 80
