"""A file that is no report is refused by name and line, and nothing but BadReport is raised."""

import os
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syncsvc.errors import Rejected
from syncsvc.results.pushed.model import Result
from syncsvc.results.reports import BadReport, Naming, read_reports

LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
]>
<testsuite><testcase name="&lol2;"/></testsuite>"""
QUADRATIC = (
    f'<!DOCTYPE a [<!ENTITY a "{"a" * 50_000}">]>\n<testcase name="x">{"&a;" * 9_000}</testcase>'
)
OUTSIDE = """<!DOCTYPE t [
<!ENTITY secret SYSTEM "file:///etc/passwd">]>
<testcase name="&secret;"/>"""
PARAMETER = '<!DOCTYPE t [\n<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]><testcase name="a"/>'
DTD = '\n<!DOCTYPE t SYSTEM "http://127.0.0.1/t.dtd"><testcase name="a"/>'
DEFAULTS = '<!DOCTYPE t [<!ATTLIST testcase name CDATA "x">]><testcase/>'

CASES = {
    "mismatched tag": ("<testsuite>\n<testcase name='a'>\n</testsuite>", 3, "mismatched tag"),
    "cut off": ("<testsuite>\n<testcase name='a'/>\n", 3, "no element found"),
    "behind the end": ("<testcase name='a'/>\n<testcase name='b'/>", 2, "junk after"),
    "wrong bytes": (b"<testsuite>\n<testcase name='\xff\xfe'/></testsuite>", 2, "invalid token"),
    "a NUL": (b"<testsuite>\n<testcase name='a\0'/></testsuite>", 2, "invalid token"),
    "unknown encoding": ('<?xml version="1.0" encoding="klingon"?><testcase/>', 1, "encoding"),
    "multibyte": ('<?xml version="1.0" encoding="shift_jis"?><testcase/>', 1, "encoding"),
    "laughs": (LAUGHS, 3, "entity declarations are not read: lol;"),
    "quadratic": (QUADRATIC, 1, "entity declarations are not read: a;"),
    "outside": (OUTSIDE, 2, "entity declarations are not read: secret;"),
    "parameter": (PARAMETER, 2, "entity declarations are not read: p;"),
    "DTD": (DTD, 2, "external references are not read: DOCTYPE t;"),
    "defaults": (DEFAULTS, 1, "attribute declarations are not read: testcase;"),
    "undefined entity": ("<testsuite>\n&nbsp;</testsuite>", 2, "undefined entity"),
    "deep": ("<a>\n" * 300 + "</a>" * 300, 201, "nested deeper than 200"),
    "no name": ("<testsuite>\n\n<testcase classname='x'/></testsuite>", 3, "without a name"),
    "no test": ("<testsuites>\n</testsuites>", 2, "no testcase in <testsuites>"),
    "empty": ("", 1, "an empty file"),
    "blank": (" \n ", 1, "an empty file"),
    "BOM only": (b"\xef\xbb\xbf", 1, "an empty file"),
    "text": ("\nTests: 3 passed", 2, "begins with 'Tests: 3 passed'"),
    "JSON list": ("[1]", 1, "begins with '[1]'"),
    "binary": (b"\x7fELF\0\0\0", 1, "begins with"),
    "other JSON": ('{"name": "x", "tests": []}', 1, "JSON without `results.tests`"),
    "no CTRF test": ('{"results": {"tests": []}}', 1, "no test in `results.tests`"),
    "cut JSON": ('{"results": {\n"tests": [{"name": "a",\n"sta', 3, "ends in the middle"),
    "cut JSON string": ('{"results": {"tests": [{"name": "a', 1, "ends in the middle"),
    "crossed": ('{"results": {"tests": [\n{"name": "a"]}', 2, "']' that closes nothing"),
    "twice": ('{"results": {"tests": []}}\n{}', 2, "something behind the end"),
    "junk behind": ('{"results": {"tests": []}}\nx', 2, "'x' where no value may be"),
    "a number": ('{"results": {"tests": [\n1]}}', 2, "'1' where no value may be"),
    "a string": ('{"results": {"tests": [\n"a"]}}', 2, "a string; a report is an object"),
    "a list": ('{"results": {"tests": [[]]}}', 1, "a test that is a list"),
    "deep JSON": ('{"results": ' + "[" * 300, 1, "nested deeper than 200"),
    "no status": ('{"results": {"tests": [\n\n{"name": "a"}]}}', 3, "required field `status`"),
    "odd status": (
        '{"results":{"tests":[{"name":"a","status":"passed"},\n{"name":"a","status":"?"}]}}',
        2,
        "Invalid enum value '?'",
    ),
    "wrong type": ('{"results":{"tests":[{"name":1,"status":"passed"}]}}', 1, "got `int`"),
    "lone surrogate": (
        '{"results":{"tests":[{"name":"\\ud800","status":"passed"}]}}',
        1,
        "not CTRF's",
    ),
    "bytes in JSON": (
        b'{"results":{"tests":[{"name":"\xff","status":"passed"}]}}',
        1,
        "not CTRF's",
    ),
}


def results(path: Path) -> list:
    """Read a report; each result must be one that the service takes."""
    found = list(read_reports([path], Naming()))
    for one in found:
        assert msgspec.json.decode(msgspec.json.encode(one.result), type=Result)
    return found


@pytest.mark.parametrize(("content", "line", "found"), CASES.values(), ids=CASES)
def test_what_is_wrong_is_said_with_file_and_line(write, content, line, found):
    path = write(content, "report")

    with pytest.raises(BadReport) as refused:
        results(path)

    message = str(refused.value)
    assert message.startswith(f"{path}:{line}: "), message
    assert found in message
    assert "; " in message.removeprefix(str(path))


def test_a_huge_tag_is_refused_soon(write):
    path = write(b"<testcase name='" + b"x" * 20_000_000 + b"'/>")

    with pytest.raises(BadReport, match=":1: a tag or a comment of over 1 MiB"):
        results(path)


def test_a_huge_comment_is_refused_soon(write):
    path = write(b"<testsuite><!--" + b"x" * 20_000_000 + b"--></testsuite>")

    with pytest.raises(BadReport, match="a tag or a comment of over 1 MiB"):
        results(path)


def test_names_without_end_are_refused(write):
    path = write("<a>" + "".join(f"<t{number}/>" for number in range(50_000)) + "</a>")

    with pytest.raises(BadReport, match="different element names"):
        results(path)


def test_a_huge_json_test_is_refused_soon(write):
    path = write(b'{"results":{"tests":[{"name":"' + b"x" * 40_000_000 + b'"}]}}')

    with pytest.raises(BadReport, match="a test of over 16 MiB"):
        results(path)


@pytest.mark.parametrize("name", ["gone.xml", "a\0b", "n" * 300])
def test_a_file_that_is_not_there_is_refused(tmp_path, name):
    with pytest.raises(BadReport, match=r"not there|no path of|name too long"):
        results(tmp_path / name)


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.xml")

    with pytest.raises(BadReport, match="not a regular file"):
        results(tmp_path / "pipe.xml")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_a_file_that_cannot_be_read_is_refused():
    with pytest.raises(BadReport, match="/proc/self/mem: cannot be read"):
        results(Path("/proc/self/mem"))


def test_no_path_at_all_is_refused():
    with pytest.raises(BadReport, match="no report is named"):
        list(read_reports([], Naming()))


def test_a_bad_report_is_rejected_like_any_wrong_request():
    assert issubclass(BadReport, Rejected)


def test_the_results_before_the_fault_are_given(write):
    found = read_reports([write("<a><testcase name='1'/>" + " " * 70_000 + "<b></a>")], Naming())

    assert next(found).result.name == "1"
    with pytest.raises(BadReport, match="mismatched tag"):
        next(found)


WORDS = st.sampled_from(
    [
        *rb"""<testsuite> <testcase/> <testcase  name='a'> </testcase> <failure> </failure>
    <!DOCTYPE  a[ <!ENTITY  a'b'> ]> &a; <![CDATA[ ]]> <?xml  encoding=' utf-16 '?>
    <system-out>[[ATTACHMENT| ]] {"results": {"tests":[ {"name":"a","status":"passed" } ] , "
    ,"start":1e300 ,"duration":-1 \\ NaN "line":""".split(b" "),
        b"\xff",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\n",
        b" ",
    ]
)
PIECES = st.one_of(WORDS, st.binary(max_size=20))


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES, max_size=30).map(b"".join))
@example(b"<\0")
@example(b"{")
@example(b"<testcase name=''><failure type='x'/></testcase>")
@example(
    b'{"results":{"tests":[{"name":"","status":"other","suite":[],"filePath":"","tags":[""],'
    b'"labels":{"":""},"parameters":{"":null},"extra":{"":[]},"steps":[{"name":""}],'
    b'"attachments":[{"path":"http://"},{"path":""}]}]}}'
)
def test_any_bytes_are_results_or_a_bad_report(write, content):
    path = write(content, "any")

    refusal = None
    try:
        found = results(path)
    except BadReport as error:
        refusal = str(error)

    if refusal is None:
        assert found
    else:
        assert re.match(rf"{re.escape(str(path))}:\d+: .+; .+", refusal, re.DOTALL)
