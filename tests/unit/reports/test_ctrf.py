import json
from datetime import UTC, datetime

import pytest

from syncsvc.results.pushed.model import Link, Step
from syncsvc.results.reports import Naming, read_reports


@pytest.fixture
def read_test(read):
    """Give the result of a CTRF report with one test, which has these fields."""

    def read_test(naming: Naming | None = None, **fields):
        test = {"name": "t", "status": "passed", "duration": 1} | fields
        report = {
            "reportFormat": "CTRF",
            "specVersion": "1.0.0",
            "results": {
                "tool": {"name": "x", "extra": {"tests": [{"not": "a test"}]}},
                "summary": {"tests": 1},
                "tests": [test],
                "environment": {"tests": [1, 2]},
            },
            "insights": {"results": {"tests": [{}]}},
        }
        [result] = read(json.dumps(report), naming)
        return result

    return read_test


@pytest.mark.parametrize(
    ("said", "raw", "status"),
    [
        ("passed", None, "passed"),
        ("failed", "timedOut", "failed"),
        ("failed", "error", "broken"),
        ("skipped", None, "skipped"),
        ("pending", None, "skipped"),
        ("other", "interrupted", "blocked"),
        ("other", "errored", "broken"),
        ("passed", "error", "passed"),
    ],
)
def test_each_status_has_its_word(read_test, said, raw, status):
    assert read_test(status=said, rawStatus=raw).status == status


def test_a_flaky_test_has_the_status_that_the_report_gives_it(read_test):
    result = read_test(flaky=True, retries=1)

    assert result.status == "passed"
    assert result.properties == {"flaky": "true", "retries": "1"}


@pytest.mark.parametrize(
    ("fields", "naming", "place"),
    [
        ({"suite": ["A", "B", "C"]}, Naming(), ("A.B", "C")),
        ({"suite": ["A", "B", "C"]}, Naming(separator="/"), ("A/B", "C")),
        ({"suite": ["A"]}, Naming(), ("namespace", "A")),
        ({"suite": "a.B"}, Naming(), ("namespace", "a.B")),
        ({"suite": "a.B"}, Naming(separator="."), ("a", "B")),
        ({"filePath": "tests/a.js"}, Naming(), ("namespace", "tests/a.js")),
        ({"filePath": "/home/me/a.js"}, Naming(), ("namespace", "classname")),
        ({}, Naming(), ("namespace", "classname")),
        ({"suite": ["A", "B"]}, Naming(namespace="N", classname="C"), ("N", "C")),
    ],
)
def test_the_suite_says_where_a_test_belongs(read_test, fields, naming, place):
    result = read_test(naming, **fields)

    assert (result.namespace, result.classname) == place


def test_the_same_test_has_the_same_id_in_both_kinds_of_report(read, read_test):
    [junit] = read('<testcase classname="a.B" name="t"/>')

    assert read_test(suite="a.B").external_id == junit.external_id


def test_everything_known_of_a_test_is_kept(read_test):
    result = read_test(
        status="failed",
        duration=12.6,
        start=1_767_268_800_000,
        stop=1_767_268_800_013,
        message="boom",
        trace="at a",
        snippet="code",
        tags=["smoke", "smoke"],
        labels={"priority": "P1", "owners": ["qa", "dev"], "n": 2},
        type="e2e",
        browser="chromium",
        filePath="a.js",
        line=7,
        parameters={"role": "admin", "n": 3},
        stdout=["one", "two"],
        steps=[{"name": "open", "status": "passed"}, {"name": "look", "status": "other"}],
        extra={"owner": "qa", "deep": {"a": 1}},
        attachments=[{"name": "v", "contentType": "x", "path": "https://ci/v.webm"}],
        unheardOf=True,
    )

    assert (result.message, result.duration_ms) == ("boom", 13)
    assert result.traces == "at a\n\n--- stdout ---\none\ntwo\n\n--- snippet ---\ncode"
    assert result.started_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert result.finished_at == datetime(2026, 1, 1, 12, 0, 0, 13_000, tzinfo=UTC)
    assert result.labels == ("smoke", "priority::P1", "owners::qa", "owners::dev", "n::2")
    assert result.parameters == {"role": "admin", "n": "3"}
    assert result.steps == (Step(name="open", status="passed"), Step(name="look", status="blocked"))
    assert result.links == (Link(url="https://ci/v.webm", title="v"),)
    assert result.properties == {
        "owner": "qa",
        "deep": '{"a":1}',
        "file": "a.js",
        "line": "7",
        "type": "e2e",
        "browser": "chromium",
    }


@pytest.mark.parametrize("word", ["retryAttempts", "attempts"])
def test_earlier_attempts_are_told_in_the_traces(read_test, word):
    result = read_test(**{word: [{"attempt": 1, "status": "failed", "message": "slow"}]})

    assert result.traces == "--- attempt 1: failed ---\nslow"


def test_attached_files_beside_the_report_are_found(write):
    write("png", "shot.png")
    write("log", "try 1.log")
    test = {
        "name": "t",
        "status": "passed",
        "attachments": [{"name": "s", "contentType": "image/png", "path": "shot.png"}],
        "retryAttempts": [
            {"attempt": 1, "status": "failed", "attachments": [{"path": "try 1.log"}]}
        ],
    }
    path = write(json.dumps({"results": {"tests": [test]}}), "ctrf.json")

    [found] = read_reports([path], Naming())

    assert [file.name for file in found.files] == ["try 1.log", "shot.png"]


def test_an_embedded_screenshot_is_left_out_with_a_warning(read_test, log):
    read_test(screenshot="aGk=")

    assert "screenshot is left out" in log[0]["event"]


@pytest.mark.parametrize(
    ("fields", "event"),
    [
        ({"duration": -5}, "a duration is left out"),
        ({"start": 1_700_000_000}, "a time is left out"),
        ({"stop": 1e300}, "a time is left out"),
    ],
)
def test_times_that_are_none_are_left_out_with_a_warning(read_test, log, fields, event):
    read_test(**fields)

    assert log[0]["event"] == event


def test_nuls_are_replaced_for_no_store_takes_them(read_test):
    result = read_test(name="a\0b", message="c\0d")

    assert (result.name, result.message) == ("a\ufffdb", "c\ufffdd")


def test_keys_may_stand_in_any_order_and_spacing(read):
    results = read(
        b'\xef\xbb\xbf { "results" :\n{ "summary":{"tests":1}, "tests"\n:\t[ {"status":"passed",'
        b'"name":"a \\" } ] {"} , {"name":"b","status":"failed"} ] , "extra": {"x":["]"]} } }\n'
    )

    assert [result.name for result in results] == ['a " } ] {', "b"]


@pytest.mark.parametrize("size", [262_100, 262_144, 262_200, 524_288])
def test_tests_are_found_wherever_the_file_is_parted(read, size):
    for shift in range(0, 60, 7):
        start = b'{"results":{"summary":{},"pad":"' + b"x" * (size - shift - 60) + b'"'
        test = b'{"name":"\xc3\x96\\"","status":"passed","extra":{"a":[1,{"b":"]"}]}}'

        results = read(start + b',"tests" : [' + test + b" , " + test + b"]}}")

        assert [result.name for result in results] == ['Ö"', 'Ö"']
