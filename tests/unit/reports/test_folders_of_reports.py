import pytest

from syncsvc.results.reports import BadReport, Naming, read_reports

CTRF = '{"results": {"tests": [{"name": "%s", "status": "passed"}]}}'


def names(*paths) -> list[str]:
    return [found.result.name for found in read_reports(paths, Naming())]


def test_all_reports_below_are_read_in_order(write, tmp_path):
    write("<testcase name='2'/>", "b/x.xml")
    write("<testcase name='1'/>", "a/deep/er/y.XML")
    write(CTRF % "3", "c.json")
    write("<testcase name='no'/>", "d.txt")

    assert names(tmp_path) == ["1", "2", "3"]


def test_the_content_says_what_a_file_is_not_its_name(write):
    assert names(write(CTRF % "a", "a.xml"), write("<testcase name='b'/>", "b.json")) == ["a", "b"]


def test_a_file_that_is_named_twice_is_read_once(write, tmp_path):
    path = write("<testcase name='1'/>", "a.xml")

    assert names(path, tmp_path, tmp_path / "." / "a.xml") == ["1"]


def test_other_json_in_a_folder_is_passed_by(write, tmp_path, log):
    write('{"name": "package"}', "package.json")
    write("<testcase name='1'/>", "a.xml")

    assert names(tmp_path) == ["1"]
    assert log == []


def test_other_xml_in_a_folder_is_warned_of(write, tmp_path, log):
    write("<coverage/>", "coverage.xml")
    write("", "empty.xml")
    write("<testcase name='1'/>", "z.xml")

    assert names(tmp_path) == ["1"]
    assert [line["event"] for line in log] == ["a file in a folder of reports has no tests"] * 2


def test_a_broken_report_in_a_folder_is_refused(write, tmp_path):
    write("<testsuite>", "broken.xml")

    with pytest.raises(BadReport, match=r"broken\.xml:1: not well-formed"):
        names(tmp_path)


def test_a_folder_without_reports_is_refused(write, tmp_path):
    write("x", "readme.txt")

    with pytest.raises(BadReport, match=r"no \*\.xml and no \*\.json in this folder"):
        names(tmp_path)


def test_a_folder_whose_reports_have_no_tests_is_refused(write, tmp_path):
    write("<testsuite/>", "a.xml")

    with pytest.raises(BadReport, match="no report with tests"):
        names(tmp_path)


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    read_reports([tmp_path / "gone.xml"], Naming())
