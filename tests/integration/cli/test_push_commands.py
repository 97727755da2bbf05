"""`syncsvc results push` and `syncsvc run` as a CI job meets them, with a whole stack behind."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, running_stack

JUNIT = """<testsuite name="shop">
  <testcase classname="shop.Cart" name="adds" time="0.1"/>
  <testcase classname="shop.Cart" name="removes"><failure message="boom">trace</failure></testcase>
  <testcase classname="shop.Cart" name="waits"><skipped/></testcase>
</testsuite>"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def report(tmp_path):
    file = tmp_path / "junit.xml"
    file.write_text(JUNIT)
    return file


@pytest.fixture
def syncsvc(stack):
    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return stack.cli(*arguments, "--api", stack.api)

    return call


def runs(syncsvc) -> set[str]:
    """Name the runs that the gateway knows."""
    return {run["id"] for run in json.loads(syncsvc("run", "list", "--json").stdout)}


def test_a_report_that_is_pushed_twice_is_stored_once(stack, syncsvc, report):
    run = syncsvc("run", "create", "--name", "nightly", "--tag", "smoke").stdout.strip()

    push = ("results", "push", str(report), "--run", run, "--no-wait", "--json")
    loud = [run.upper() if word == run else word for word in push]
    first, second = (json.loads(syncsvc(*each).stdout) for each in (push, loud))
    listed = json.loads(stack.cli("results", "list", "--run", run, "--json").stdout)

    assert (first["new"], first["known"], first["ok"]) == (3, 0, True)
    assert (second["new"], second["known"], second["run"]) == (0, 3, run)
    assert {each["kind"] for each in listed} == {"pushed"}
    assert len(listed) == 3


def test_a_run_is_created_shown_listed_and_completed(syncsvc, report, tmp_path):
    file = tmp_path / "run.id"
    created = syncsvc("run", "create", "--name", "nightly", "--output", str(file), "--json")
    run = json.loads(created.stdout)["id"]
    syncsvc("results", "push", str(report), "--run", run, "--no-wait")

    shown = json.loads(syncsvc("run", "show", run, "--json").stdout)
    asked = json.loads(syncsvc("run", "complete", run, "--json").stdout)

    assert file.read_text() == run
    assert sum(shown["pushed"]["results"].values()) == 3
    assert asked["complete_asked_at"]
    assert run in syncsvc("run", "list").stdout


def test_rehearsing_reads_and_sends_nothing(syncsvc, report):
    before = runs(syncsvc)

    answer = syncsvc("results", "push", str(report), "--dry-run")

    assert answer.stdout == "3 results (1 failed, 1 passed, 1 skipped); nothing was sent\n"
    assert runs(syncsvc) == before


def test_a_report_that_cannot_be_read_leaves_no_run_and_is_exit_2(syncsvc, tmp_path):
    (tmp_path / "bad.xml").write_text("<testsuite><testcase")
    before = runs(syncsvc)

    answer = syncsvc("results", "push", str(tmp_path / "bad.xml"))

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("syncsvc: ")
    assert "bad.xml" in answer.stderr
    assert runs(syncsvc) == before


def test_a_run_that_cannot_be_is_exit_1_in_one_line(syncsvc, report):
    answer = syncsvc("results", "push", str(report), "--run", "nightly")

    assert answer.returncode == 1
    assert "syncsvc: run: expected an id of Test IT's, a UUID, found 'nightly'" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_gateway_that_is_away_is_exit_69_with_what_to_do(stack, report):
    answer = stack.cli(
        "results", "push", str(report), "--api", "http://127.0.0.1:9", "--timeout", "1s"
    )

    assert answer.returncode == 69
    assert "start it with 'syncsvc up', or set SYNCSVC_API_URL" in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--api", "gateway"),
        ("--api", "http://u:p@127.0.0.1"),
        ("--timeout", "soon"),
        ("--separator", ""),
        ("--attachments", "nowhere.log"),
    ],
)
def test_a_wrong_option_is_named(stack, report, arguments):
    answer = stack.cli("results", "push", str(report), *arguments)

    assert answer.returncode == 2
    assert arguments[0].strip("-") in answer.stderr
    assert "Traceback" not in answer.stderr


def test_dropping_asks_first(stack):
    answer = stack.cli("results", "drop", "--all")

    assert answer.returncode == 2
    assert "Remove all dead results for good?" in answer.stderr
    assert json.loads(stack.cli("results", "drop", "--all", "--yes", "--json").stdout) == {
        "dropped": 0
    }


def digests(stack, run: str) -> list[str]:
    """Name the files that Test IT shows attached to a run."""
    shown = stack.test_it("GET", f"/testRuns/{run}")["attachments"]
    return sorted(each["name"] for each in shown)


def test_files_are_attached_to_the_run_before_it_is_completed_and_once(
    stack, syncsvc, report, tmp_path
):
    logs = tmp_path / "logs"
    (logs / "deep").mkdir(parents=True)
    for name in ("server.log", "deep/client.log", ".hidden"):
        (logs / name).write_text(name)
    alone = tmp_path / "report.html"
    alone.write_text("<html>")
    push = ("results", "push", str(report), "-a", str(logs), "--attachments", str(alone), "--json")

    first = json.loads(syncsvc(*push).stdout)
    again = json.loads(syncsvc(*push, "--run", first["run"], "--complete").stdout)

    assert (first["ok"], first["phase"], first["uploaded"]) == (True, "completed", 3)
    assert first["files"] == {"attached": 3}
    assert (again["ok"], again["uploaded"], again["known"]) == (True, 0, 3)
    assert digests(stack, first["run"]) == ["client.log", "report.html", "server.log"]


def test_files_are_attached_to_a_run_that_is_over(stack, syncsvc, report, tmp_path):
    late = tmp_path / "late.log"
    late.write_text("late")
    run = json.loads(syncsvc("results", "push", str(report), "--json").stdout)["run"]

    attached = syncsvc("run", "attach", run, str(late))
    ended = json.loads(syncsvc("run", "complete", run, "--wait", "--json").stdout)

    assert (attached.returncode, ended["ok"], ended["files"]) == (0, True, {"attached": 1})
    assert digests(stack, run) == ["late.log"]


def test_tags_and_links_are_read_as_testit_cli_reads_them(stack, syncsvc, monkeypatch):
    links = [{"url": "https://ci.example/7", "title": "job", "type": "Defect"}]
    monkeypatch.setitem(stack.environment, "TMS_TEST_RUN_TAGS", '["smoke", "nightly"]')
    monkeypatch.setitem(stack.environment, "TMS_TEST_RUN_LINKS", json.dumps(links))

    run = syncsvc("run", "create").stdout.strip()

    shown = stack.test_it("GET", f"/testRuns/{run}")
    (link,) = shown["links"]
    assert shown["tags"] == ["smoke", "nightly"]
    assert (link["url"], link["title"], link["type"]) == ("https://ci.example/7", "job", "Defect")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TMS_TEST_RUN_TAGS", '["smoke"'),
        ("TMS_TEST_RUN_LINKS", '[{"title": "job"}]'),
        ("TMS_TEST_RUN_LINKS", '[{"url": "https://x.example", "type": "Fan"}]'),
    ],
)
def test_tags_or_links_that_cannot_be_read_are_exit_2(stack, syncsvc, monkeypatch, name, value):
    monkeypatch.setitem(stack.environment, name, value)

    answer = syncsvc("run", "create")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "expected" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_report_that_breaks_in_its_middle_sends_nothing(syncsvc, tmp_path):
    many = "".join(f'<testcase classname="c" name="t{n}"/>' for n in range(3000))
    (tmp_path / "bad.xml").write_text(f"<testsuite>{many}<testcase")
    before = runs(syncsvc)

    answer = syncsvc("results", "push", str(tmp_path / "bad.xml"), "--json")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "bad.xml:1" in answer.stderr
    assert runs(syncsvc) == before


def test_what_is_odd_about_a_report_is_said_once_and_not_in_the_json(syncsvc, report):
    (report.parent / "empty.xml").write_text("<testsuite/>")

    answer = syncsvc("results", "push", str(report.parent), "--no-wait", "--json")

    assert json.loads(answer.stdout)["new"] == 3
    assert answer.stderr.count("has no tests") == 1


def test_what_a_run_is_named_is_not_changed_by_a_push_and_that_is_said(syncsvc, stack, report):
    run = syncsvc("run", "create", "--name", "nightly").stdout.strip()

    answer = syncsvc("results", "push", str(report), "--run", run, "--name", "x", "--no-wait")

    assert "are for a new run" in answer.stderr
    assert stack.test_it("GET", f"/testRuns/{run}")["name"] == "nightly"


def test_a_push_is_judged_by_its_own_results_in_a_run_of_many(stack, syncsvc, report, tmp_path):
    run = syncsvc("run", "create").stdout.strip()
    big = tmp_path / "refused.xml"
    big.write_text(f'<testsuite><testcase classname="c" name="refused {run}"/></testsuite>')
    refusal = {"kind": "status", "code": 400, "method": "POST", "pattern": "autoTests"}
    with stack.misbehaving(refusal):
        first = syncsvc("results", "push", str(big), "--run", run, "--timeout", "50s", "--json")

    second = syncsvc("results", "push", str(report), "--run", run, "--json")

    assert (first.returncode, json.loads(first.stdout)["results"]) == (1, {"dead": 1})
    assert json.loads(first.stdout)["dead_reasons"][0]["count"] == 1
    assert second.returncode == 0
    assert json.loads(second.stdout)["judged"] == "push"
    assert json.loads(second.stdout)["ok"]
