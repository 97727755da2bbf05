from datetime import UTC, datetime

import pytest

from syncsvc.results.reports import Naming


@pytest.mark.parametrize(
    ("inside", "status"),
    [
        ("", "passed"),
        ("<failure/>", "failed"),
        ("<error message='x'/>", "broken"),
        ("<rerunFailure message='x'/>", "failed"),
        ("<rerunError message='x'/>", "broken"),
        ("<flakyFailure message='x'/>", "failed"),
        ("<flakyError message='x'/>", "failed"),
        ("<skipped/>", "skipped"),
        ("<skipped/><failure/>", "failed"),
        ("<error/><failure/>", "failed"),
        ("<system-out>printed</system-out>", "passed"),
        ("<system-err>a warning</system-err>", "passed"),
    ],
)
def test_children_say_the_status(read_case, inside, status):
    assert read_case(inside).status == status


@pytest.mark.parametrize(
    ("inside", "status"),
    [
        ("<flakyFailure message='x'/>", "passed"),
        ("<flakyError message='x'/>", "passed"),
        ("<flakyFailure message='x'/><failure/>", "failed"),
        ("<rerunFailure message='x'/>", "failed"),
    ],
)
def test_what_passed_in_the_end_has_passed_if_flaky_ones_are_ignored(read_case, inside, status):
    assert read_case(inside, naming=Naming(ignore_flaky=True)).status == status


@pytest.mark.parametrize(
    ("attributes", "status"),
    [
        ('status="run" result="completed"', "passed"),
        ('status="notrun" result="suppressed"', "skipped"),
        ('result="Passed"', "passed"),
        ('result="Success" executed="True"', "passed"),
        ('result="Ignored" executed="False"', "skipped"),
        ('executed="False"', "skipped"),
        ('result="Failed"', "failed"),
        ('result="Error"', "broken"),
        ('result="Inconclusive"', "skipped"),
    ],
)
def test_without_a_child_the_attributes_of_gtest_and_nunit_say_it(read_case, attributes, status):
    assert read_case(attributes=attributes).status == status


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [
        ("0.0123", 12),
        ("1", 1000),
        ("0,5", 500),
        ("1,234.5", 1_234_500),
        ("1.234,5", 1_234_500),
        ("1,234,567", 1_234_567_000),
        ("1 234.5", 1_234_500),
        ("1'234.5", 1_234_500),
        ("1e-3", 1),
        ("", None),
    ],
)
def test_a_time_may_have_a_comma_and_thousands(read_case, log, time, milliseconds):
    assert read_case(attributes=f'time="{time}"').duration_ms == milliseconds
    assert log == []


@pytest.mark.parametrize("time", ["N/A", "-1", "nan", "inf", "1e300"])
def test_a_time_that_is_none_is_left_out_with_a_warning(read_case, log, time):
    assert read_case(attributes=f'time="{time}"').duration_ms is None
    assert [(line["event"], line["line"]) for line in log] == [("a duration is left out", 1)]


def test_a_tests_timestamp_is_its_start(read_case):
    result = read_case(attributes='timestamp="2026-01-01T12:00:00.5+02:00"')

    assert result.started_at == datetime(2026, 1, 1, 10, 0, 0, 500_000, UTC)


def test_a_timestamp_without_zone_is_local_time(read_case):
    result = read_case(attributes='timestamp="2026-01-01T12:00:00"')

    assert result.started_at == datetime(2026, 1, 1, 12).astimezone()


def test_a_suites_timestamp_is_nobodys_start(read):
    [result] = read('<testsuite timestamp="2026-01-01T12:00:00Z"><testcase name="a"/></testsuite>')

    assert result.started_at is None


@pytest.mark.parametrize("said", ["yesterday", "0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_a_timestamp_that_is_none_is_left_out_with_a_warning(read_case, log, said):
    assert read_case(attributes=f'timestamp="{said}"').started_at is None
    assert log[0]["event"] == "a timestamp is left out"


def test_message_and_text_of_all_failures_are_kept(read_case):
    result = read_case(
        "<failure message='first'>trace 1</failure><error message='second'>trace 2</error>"
    )

    assert result.message == "first\nsecond"
    assert result.traces == "trace 1\n\ntrace 2"


def test_without_a_message_the_first_line_is_the_message(read_case):
    result = read_case("<failure type='E'><![CDATA[\n  boom\n  at x\n]]></failure>")

    assert result.message == "boom"
    assert result.traces == "boom\n  at x"


def test_without_message_and_text_the_type_is_the_message(read_case):
    assert read_case("<failure type='AssertionError'/>").message == "AssertionError"


def test_output_follows_the_traces_under_its_name(read_case):
    result = read_case(
        "<system-out>out</system-out><failure message='m'>t</failure><system-err>err</system-err>"
    )

    assert result.traces == "t\n\n--- system-out ---\nout\n\n--- system-err ---\nerr"


def test_surefires_reruns_keep_their_stack_traces_and_outputs(read_case):
    result = read_case(
        "<flakyFailure message='m' type='T'><stackTrace><![CDATA[at A]]></stackTrace>"
        "<system-out>try 1</system-out></flakyFailure>"
    )

    assert result.message == "m"
    assert result.traces == "at A\n\n--- system-out ---\ntry 1"


def test_nunits_messages_and_stack_traces_are_read(read):
    [failed, skipped] = read(
        """<test-run><test-suite><results>
        <test-case name="A" classname="N.C" result="Failed" duration="0.25"
                   start-time="2026-01-01 12:00:00Z" end-time="2026-01-01 12:00:01Z">
          <properties><property name="Category" value="Slow"/></properties>
          <failure><message><![CDATA[m]]></message><stack-trace>at N.C</stack-trace></failure>
          <output>said</output>
        </test-case>
        <test-case name="B" classname="N.C" result="Skipped">
          <reason><message>not now</message></reason>
        </test-case></results></test-suite></test-run>"""
    )

    assert (failed.status, failed.message, failed.duration_ms) == ("failed", "m", 250)
    assert failed.traces == "at N.C\n\n--- system-out ---\nsaid"
    assert failed.started_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert failed.finished_at == datetime(2026, 1, 1, 12, 0, 1, tzinfo=UTC)
    assert failed.properties == {"Category": "Slow"}
    assert (skipped.status, skipped.message) == ("skipped", "not now")


def test_file_line_and_properties_are_properties(read_case):
    result = read_case(
        '<properties><property name="owner" value="qa"/></properties>', 'file="a.py" line="7"'
    )

    assert result.properties == {"file": "a.py", "line": "7", "owner": "qa"}


def test_suites_within_suites_and_duplicate_names_are_read_in_order(read):
    results = read(
        """<testsuites><testsuite name="a"><testcase name="1"/><testsuite name="b">
        <testcase name="2"/><testcase name="2"/></testsuite><testcase name="3"/></testsuite>
        </testsuites>"""
    )

    assert [result.name for result in results] == ["1", "2", "2", "3"]
    assert results[1].external_id == results[2].external_id


def test_a_suites_output_belongs_to_no_test(read):
    [result] = read(
        "<testsuite><testcase name='a'/><system-out>noise</system-out>"
        "<error message='x'/></testsuite>"
    )

    assert (result.status, result.traces) == ("passed", None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_a_declared_encoding_is_read(read, encoding):
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?><testcase name="Prüfung"/>'

    [result] = read(text.encode(encoding))

    assert result.name == "Prüfung"


def test_windows_1251_is_read(read):
    text = '<?xml version="1.0" encoding="windows-1251"?><testcase name="Вход"/>'

    assert read(text.encode("windows-1251"))[0].name == "Вход"


def test_a_long_text_keeps_both_ends_and_says_what_is_cut(read_case):
    result = read_case(f"<failure message='m'>BEGIN{'x' * 300_000}END</failure>")

    assert result.traces.startswith("BEGINxxx")
    assert result.traces.endswith("xxxEND")
    assert f"[... {300_008 - 65_536} characters cut ...]" in result.traces


def test_a_text_of_just_the_limit_is_whole(read_case):
    assert read_case(f"<failure message='m'>{'x' * 65_536}</failure>").traces == "x" * 65_536


def test_failures_without_end_are_counted_not_kept(read_case):
    result = read_case("<failure message='m'>t</failure>" * 30)

    assert result.status == "failed"
    assert result.traces.count("t\n") == 20
    assert "the others are left out" in result.traces
