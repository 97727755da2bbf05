"""`syncsvc results push` and `syncsvc run` as a CI job meets them, with a whole stack behind."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID
from tests.support.stack import Stack, running_stack

JUNIT = """<testsuite name="shop">
  <testcase classname="shop.Cart" name="adds" time="0.1"/>
  <testcase classname="shop.Cart" name="removes"><failure message="boom">trace</failure></testcase>
  <testcase classname="shop.Cart" name="waits"><skipped/></testcase>
</testsuite>"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(
        tmp_path_factory.mktemp("stack"),
        testit_project_id=str(PROJECT_ID),
        testit_configuration_id=str(CONFIGURATION_ID),
    ) as running:
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


def test_a_report_that_is_pushed_twice_is_stored_once(stack, syncsvc, report):
    run = syncsvc("run", "create", "--name", "nightly", "--tag", "smoke").stdout.strip()

    push = ("results", "push", str(report), "--run", run, "--no-wait", "--json")
    first, second = (json.loads(syncsvc(*push).stdout) for _ in range(2))
    listed = json.loads(stack.cli("results", "list", "--run", run, "--json").stdout)

    assert (first["new"], first["known"], first["ok"]) == (3, 0, True)
    assert (second["new"], second["known"]) == (0, 3)
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
    before = syncsvc("run", "list", "--json").stdout

    answer = syncsvc("results", "push", str(report), "--dry-run")

    assert answer.stdout == "3 results (1 failed, 1 passed, 1 skipped); nothing was sent\n"
    assert syncsvc("run", "list", "--json").stdout == before


def test_a_report_that_cannot_be_read_leaves_no_run_and_is_exit_2(syncsvc, tmp_path):
    (tmp_path / "bad.xml").write_text("<testsuite><testcase")
    before = syncsvc("run", "list", "--json").stdout

    answer = syncsvc("results", "push", str(tmp_path / "bad.xml"))

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("syncsvc: ")
    assert "bad.xml" in answer.stderr
    assert syncsvc("run", "list", "--json").stdout == before


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
    "arguments", [("--api", "gateway"), ("--api", "http://u:p@127.0.0.1"), ("--timeout", "soon")]
)
def test_a_wrong_option_is_named(stack, report, arguments):
    answer = stack.cli("results", "push", str(report), *arguments)

    assert answer.returncode in {1, 2}
    assert arguments[0] in answer.stderr
    assert "Traceback" not in answer.stderr


def test_dropping_asks_first(stack):
    answer = stack.cli("results", "drop", "--all")

    assert answer.returncode == 1
    assert "Remove all dead results for good?" in answer.stderr
    assert json.loads(stack.cli("results", "drop", "--all", "--yes", "--json").stdout) == {
        "dropped": 0
    }
