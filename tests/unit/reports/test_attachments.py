import pytest

from syncsvc.results.reports import Naming, read_reports


@pytest.fixture
def files(write):
    """Give the attachments of a test that prints this."""

    def files(output: str) -> list[str]:
        path = write(
            f"<testcase name='t'><system-out><![CDATA[{output}]]></system-out></testcase>",
            "reports/report.xml",
        )
        [found] = read_reports([path], Naming())
        return [str(file.relative_to(path.parent.parent.resolve())) for file in found.files]

    return files


def test_a_marked_file_beside_the_report_is_attached(files, write):
    write("png", "reports/shots/a b.png")
    write("log", "reports/b.log")

    attached = files("x\n[[ATTACHMENT|shots/a b.png]]\ny [[ATTACHMENT|b.log]] [[ATTACHMENT|b.log]]")

    assert attached == ["reports/shots/a b.png", "reports/b.log"]


def test_a_file_below_the_current_folder_is_attached(files, write, tmp_path, monkeypatch):
    write("png", "elsewhere/a.png")
    monkeypatch.chdir(tmp_path)

    assert files("[[ATTACHMENT|elsewhere/a.png]]") == ["elsewhere/a.png"]
    assert files(f"[[ATTACHMENT|{tmp_path}/elsewhere/a.png]]") == ["elsewhere/a.png"]


def test_a_missing_file_is_a_warning(files, log):
    assert files("[[ATTACHMENT|gone.png]]") == []
    assert log[0]["event"] == "an attachment is left out"
    assert (log[0]["attachment"], log[0]["reason"]) == ("gone.png", "not there")


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../../../etc/passwd", "link", "dir/.."])
def test_nothing_outside_is_attached(files, write, log, path):
    folder = write("x", "reports/dir/x").parent.parent
    (folder / "link").symlink_to("/etc/passwd")

    assert files(f"[[ATTACHMENT|{path}]]") == []
    assert log[0]["log_level"] == "warning"


def test_a_mark_is_found_wherever_the_text_is_parted_or_cut(files, write):
    write("1", "reports/early.txt")
    write("2", "reports/late.txt")

    for shift in (65_480, 65_510, 65_520, 65_530):
        padding = "x" * shift
        output = f"{padding}[[ATTACHMENT|early.txt]]{'y' * 200_000}[[ATTACHMENT|late.txt]]"
        output += "z" * 100_000

        assert files(output) == ["reports/early.txt", "reports/late.txt"]


def test_many_missing_files_are_warned_of_with_measure(files, log):
    files("".join(f"[[ATTACHMENT|gone-{number}]]" for number in range(50)))

    assert len(log) == 21
    assert log[-1]["count"] == 30


def test_a_tests_attachments_are_bounded(files, write, log):
    for number in range(130):
        write("x", f"reports/{number}")

    attached = files("".join(f"[[ATTACHMENT|{number}]]" for number in range(130)))

    assert len(attached) == 100
    assert log[0]["event"] == "a test has too many attachments"
