"""`syncsvc k6` as a person and a script meet it, beside a Kubernetes in a box."""

import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.k6_commands import NOBODY, Box, Desk, a_box, a_player

COMMANDS = ("watch", "discover", "list", "show", "logs", "summary", "compare", "cycles", "sync")
JOB_COMMANDS = ("job", "job status", "job start", "job stop", "job restart")


@pytest.fixture(scope="module")
def player() -> Iterator["subprocess.Popen[str]"]:
    with a_player() as process:
        yield process


@pytest.fixture(scope="module")
def served() -> Iterator[Box]:
    with a_box() as box:
        yield box


@pytest.fixture
def box(served) -> Box:
    """Give an empty cluster."""
    served.http.put("/__sandbox__/kubernetes/cluster", params={"cluster": "main"}, json={})
    return served


@pytest.fixture
def nobody(player, tmp_path) -> Desk:
    """Give a place where nothing is configured."""
    return Desk(tmp_path, player)


@pytest.fixture
def there(nobody, box, tmp_path) -> Desk:
    return nobody.with_settings(k6_kubeconfig=box.kubeconfig(tmp_path), k6_namespaces='["k6-runs"]')


@pytest.fixture(scope="module")
def busy(player, served, tmp_path_factory) -> Desk:
    """Give a place where a load test of two steps is watched; it stays as it is."""
    folder = tmp_path_factory.mktemp("busy")
    desk = Desk(folder, player, {"k6_kubeconfig": served.kubeconfig(folder)})
    desk = desk.with_settings(k6_namespaces='["k6-runs"]')
    desk.ask("watch", "nightly", "go=load", "later")
    return desk


@pytest.mark.parametrize("command", ["", *COMMANDS, *JOB_COMMANDS])
def test_help_of_every_command_has_an_example(busy, command):
    said = busy.k6(*command.split(), "--help")

    assert said.code == 0
    assert "Example: syncsvc k6" in " ".join(said.out.split())


def test_before_anything_is_watched_it_says_how_to_begin(there):
    listed, cycles, shown = (there.k6(*words) for words in (["list"], ["cycles"], ["show", "x"]))

    assert listed.out == "no load test is watched yet: begin with 'syncsvc k6 watch NAME TESTRUN'\n"
    assert cycles.out == "no cycle has run yet: 'syncsvc k6 sync' runs one\n"
    assert shown.code == 2
    assert "NAME: found 'x', but no load test is watched yet" in shown.err


def test_what_is_watched_twice_is_watched_once_and_notes_tell_what_is_not_there(there, box):
    box.launch("load")

    first, second = (there.k6("watch", "nightly", "go=load", "later") for _ in range(2))
    other = there.ask("watch", "weekly", "load")

    assert re.fullmatch(
        r"load test nightly \([0-9a-f]{32}\) is watched: 2 steps, 2 new\n", first.out
    )
    assert first.err == "note: later: not there yet in namespace 'k6-runs'\n"
    assert second.out.endswith("2 steps, all known already\n")
    assert other["new"] == []
    assert "load: a step of load test 'nightly'" in other["notes"][0]
    assert len(there.ask("list")["tests"]) == 1


def test_a_run_that_crossed_a_threshold_says_which_runner_did(there, box):
    box.launch("load", exits=(0, 0, 99, 0), labels={"team": "shop"})
    there.k6("watch", "nightly", "load", "--label", "team=shop")

    synced, shown, listed = (there.k6(*w) for w in (["sync"], ["show", "nightly"], ["list"]))
    summary = there.k6("summary", "nightly")

    assert re.match(r"1 step looked at, 1 updated, 0 errors, 1 log read on; \d+ calls,", synced.out)
    assert "load: FAILED, THRESHOLDS: runner 3 of 4 exited 99" in shown.out
    assert "labels team=shop" in shown.out
    assert re.search(r"^load +3 +ended +99 ", shown.out, re.MULTILINE)
    assert re.search(r"nightly +FAILED +1/1 .* THRESHOLDS", listed.out)
    assert re.search(r"^p\(95\)<900 +checkout_time +CROSSED +runner 3", summary.out, re.MULTILINE)
    assert re.search(r"^http_reqs +count +510 +4 +sum", summary.out, re.MULTILINE)


def test_logs_are_clean_lines_that_say_whose_they_are_or_bytes_as_they_came(there, box):
    box.launch("load", exits=(0, 0), until="started", scenario={"progress": True})
    box.tell("/emit", name="load", lines=5, progress=True)
    box.tell("/step", name="load", until="end")
    there.k6("watch", "nightly", "load")
    there.k6("sync")
    runners = there.ask("show", "nightly")["steps"][0]["runners"]

    every, one = there.k6("logs", "nightly"), there.k6("logs", "load", "--runner", "1")
    noisy = there.k6("logs", "load", "--runner", "1", "--progress")
    found = there.k6("logs", "load", "--role", "runner", "--grep", "level=info")
    raw = there.k6("logs", "load", "--runner", "2", "--raw")

    assert f"[{runners[0]['pod']}/k6] time=" in every.out
    assert "/k6-curl] {" in every.out
    assert one.out.startswith("time=")
    assert "running (0m" not in one.out
    assert "running (0m" in noisy.out
    assert all("level=info" in line for line in found.out.splitlines())
    assert raw.out.encode() == box.emitted(runners[1]["pod"])
    assert every.err == one.err == ""


def test_lines_are_told_as_json_and_by_their_age(there, box):
    box.launch("load")
    there.k6("watch", "nightly", "load")
    there.k6("sync")

    lines = there.k6("logs", "load", "--runner", "1", "--grep", "level", "--json").out.splitlines()
    recent = there.k6("logs", "load", "--since", "1h")
    future = there.k6("logs", "load", "--since", "2100-01-01")

    assert '"role":"runner","runner":1' in lines[0]
    assert "level=info" in recent.out
    assert future.out == ""


def test_two_load_tests_are_compared_step_by_step(there, box):
    for name in ("old", "new"):
        box.launch(name, exits=(0,) if name == "old" else (0, 99))
        there.k6("watch", name, f"load={name}")
    there.k6("sync")

    said, told = there.k6("compare", "old", "new"), there.ask("compare", "old", "new")

    assert said.out.startswith("step load: SUCCEEDED -> FAILED\n")
    assert re.search(r"^http_reqs +count +123 +249 +\+102.44%", said.out, re.MULTILINE)
    assert re.search(r"^checkout_time +p\(95\)<900 +ok +CROSSED +changed", said.out, re.MULTILINE)
    assert told["steps"][0]["differences"]


def test_runs_are_discovered_by_their_labels(there, box):
    box.launch("load", labels={"team": "shop"})

    found, none = (there.k6("discover", "--selector", f"team={team}") for team in ("shop", "x"))

    assert found.out.endswith("is watched: 1 step, 1 new\n")
    assert none.out == "no TestRun in namespace 'k6-runs' of cluster 'main' is taken by 'team=x'\n"


def test_a_list_goes_on_where_a_page_ended(there):
    for name in ("one", "two", "three"):
        there.k6("watch", name, name)

    page = there.k6("list", "--limit", "2")
    short = page.err.split()[-1]
    rest = there.k6("list", "--before", short)
    shown = there.k6("show", short)

    assert [line.split()[1] for line in page.out.splitlines()[1:]] == ["three", "two"]
    assert [line.split()[1] for line in rest.out.splitlines()[1:]] == ["one"]
    assert shown.out.startswith("load test two (")
    assert there.k6("list", "--status", "failed").out == "no such load test\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("watch x Bad_Name", "TESTRUN: expected the name of a TestRun"),
        ("watch x a a", "TESTRUN: expected each once, found 'main/k6-runs/a' twice"),
        ("watch x a --namespace No!", "--namespace: expected a namespace"),
        ("watch x a --cluster other", "--cluster: expected one of 'main', found 'other'"),
        ("watch x a --label foo", "--label: expected key=value, found 'foo'"),
        ("watch x a --timeout 5m", "--timeout: expected with --wait only, found '5m' without it"),
        ("discover --selector a;b", "--selector: expected a label selector such as app=k6"),
        ("list --status ok", "--status: expected one of PENDING, RUNNING, SUCCEEDED, FAILED,"),
        ("list --text \udcff", "--text: expected 1 to 200 printable characters, found '"),
        ("show \udcff", "NAME: expected 1 to 200 printable characters, found '"),
        ("logs \udcff", "NAME: expected 1 to 200 printable characters, found '"),
        ("list --before 01a1", "--before: expected the id of a load test, or how it begins"),
        ("show nope", "NAME: expected the name or the id of a load test, one of 'nightly', found"),
        ("compare nightly nope", "AFTER: expected the name or the id of a load test, one of"),
        ("logs nightly", "--step: load test 'nightly' has several, name one of 'go', 'later'"),
        ("logs nightly --step x", "--step of 'nightly': expected one of 'go', 'later', found 'x'"),
        ("logs load --role boss", "--role: expected one of initializer, starter, runner,"),
        (
            "logs load --grep (",
            "--grep: expected a regular expression as RE2 knows them, found '('",
        ),
        ("logs load --since soon", "--since: expected a moment such as 2026-11-01T10:00, or a"),
        ("logs load --raw --json", "--raw: expected without --json, found both"),
        ("job start --interval 3", "--interval: expected a whole number from 5 to 300, found 3"),
        ("job restart --interval 15abc", "--interval: expected a whole number from 5 to 300"),
        ("sync --lock-timeout long", "--lock-timeout: expected a duration such as 90"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it_and_exit_code_2(busy, arguments, told):
    said = busy.k6(*arguments.split())

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"syncsvc: {told}"), said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        ("watch x load", r"get testruns\.k6\.io"),
        ("discover --selector *", r"list (testruns\.k6\.io|pods|jobs\.batch)"),
    ],
)
def test_a_right_that_is_missing_is_named_with_how_to_check_it(
    there, box, tmp_path, arguments, right
):
    stranger = there.with_settings(k6_kubeconfig=box.kubeconfig(tmp_path, NOBODY))

    said = stranger.k6(*arguments.split())

    assert said.code == 2
    assert re.search(rf"kubectl auth can-i {right} --namespace k6-runs\n", said.err)
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"k6_contexts": '["x"]'}, "(SYNCSVC_K6_CONTEXTS): contexts: expected one of 'main',"),
        ({"k6_kubeconfig": "/none"}, "SYNCSVC_K6_KUBECONFIG: expected a kubeconfig, found no file"),
        ({"k6_namespaces": '["No!"]'}, "SYNCSVC_K6_NAMESPACES: expected a namespace"),
        ({"k6_kubeconfig": None}, "no cluster is configured: set SYNCSVC_K6_KUBECONFIG"),
    ],
)
def test_a_setting_that_is_wrong_is_named(there, settings, told):
    said = there.with_settings(**settings).k6("watch", "x", "load")

    assert said.code == 2
    assert told in said.err
    assert said.err.count("\n") == 1


def test_credentials_that_are_refused_are_exit_code_2_and_are_not_shown(there, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text(there.settings["k6_kubeconfig"].read_text().replace("sandbox-", "s3cret-"))

    said = there.with_settings(k6_kubeconfig=wrong).k6("watch", "x", "load")

    assert said.code == 2
    assert "answered 401" in said.err
    assert "s3cret" not in said.err


def test_a_cluster_that_is_away_is_a_note_and_later_steps_are_stale(there, tmp_path):
    away = tmp_path / "away"
    url = r"http://127.0.0.1:\d+"
    away.write_text(re.sub(url, "http://127.0.0.1:9", there.settings["k6_kubeconfig"].read_text()))
    far = there.with_settings(k6_kubeconfig=away)

    watched, synced = far.k6("watch", "nightly", "load"), far.k6("sync")
    shown, cycles = far.k6("show", "nightly"), far.k6("cycles")

    assert (watched.code, synced.code) == (0, 3)
    assert watched.err.startswith("note: load: not seen yet: cluster 'main' did not answer")
    assert synced.err.startswith("error: load: cluster 'main' did not answer")
    assert re.search(r"load: stale since .* \(tried once\): .* last error: cluster", shown.out)
    assert "cycle 1: load: cluster 'main' did not answer" in cycles.out
    assert there.k6("sync").code == 0
    assert "stale" not in there.k6("show", "nightly").out


def test_the_sync_job_is_changed_for_every_process(there):
    before, started = there.k6("job", "status"), there.k6("job", "start", "--interval", "15")
    running, stopped = there.ask("job", "status"), there.ask("job", "stop")
    again, restarted = there.k6("job", "stop"), there.k6("job", "restart")

    assert "runs every 20 s (the default), next cycle is due" in before.out
    assert started.out == "Sync job goes on every 15 seconds\n"
    assert (running["interval_seconds"], running["origin"]) == (15.0, "runtime")
    assert (stopped["told"], stopped["job"]["is_running"]) == ("Sync job stopped", False)
    assert again.out == "Sync job is not running\n"
    assert restarted.out == "Sync job restarted, every 20 seconds\n"
    assert running["updated_by"]


def test_who_waits_needs_nobody_else_and_the_exit_code_tells_what_came_of_it(there, box):
    box.launch("load", exits=(0, 99))

    said = there.k6("watch", "nightly", "load", "--wait", "--timeout", "40s")

    assert said.code == 1
    assert "load: FINISHED FAILED; 1 x exit 0, 1 x exit 99" in said.err
    assert "load: FAILED, THRESHOLDS: runner 2 of 2 exited 99" in said.out
    assert re.search(r"load test nightly \(\w+\): FAILED, 1 of 1 step over\n$", said.out)


def test_who_waits_no_longer_says_what_is_not_over_and_that_the_job_is_stopped(there):
    there.k6("job", "stop")

    said = there.k6("watch", "nightly", "load", "--wait", "--timeout", "0s")

    assert said.code == 3
    assert "warning: the sync job is stopped" in said.err
    assert "not over within 0.0 s: load is PENDING" in said.err


class TestInAProcessOfItsOwn:
    """What a signal, a pipe and a terminal do to a command."""

    def test_logs_are_followed_until_ctrl_c(self, there, box):
        box.launch("load", until="started", scenario={"lines": 1})
        there.k6("watch", "nightly", "load")
        there.k6("sync")

        with there.begun("logs", "load", "--runner", "1", "--follow") as process:
            kept = process.stdout.readline()
            box.tell("/emit", name="load", texts=["hello"])
            live = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=20)

        assert b"/k6] time=" in kept
        assert live.endswith(b"/k6] hello\n")
        assert (process.returncode, told) == (130, b"")

    def test_who_stops_reading_gets_no_stack_trace(self, there, box):
        box.launch("load")
        there.k6("watch", "nightly", "load")
        there.k6("sync")
        reader, writer = os.pipe()
        os.close(reader)

        with there.begun("logs", "load", "--raw", stdout=writer) as process:
            _, told = process.communicate(timeout=60)
        os.close(writer)

        assert told == b""

    def test_on_a_terminal_a_table_shows_how_steps_are_until_ctrl_c(self, there, box):
        box.launch("load", until="started", exits=(0, 0))
        terminal, side = pty.openpty()
        seen = b""

        streams = dict.fromkeys(("stdin", "stdout", "stderr"), side)
        with there.begun("watch", "nightly", "load", "--wait", **streams) as process:
            os.close(side)
            while not (b"2 x running" in seen and b"0 of 1 over" in seen):  # it comes in pieces
                seen += os.read(terminal, 65_536)
            process.send_signal(signal.SIGINT)
            code = process.wait(60)
        os.close(terminal)

        assert code == 130
        assert b"0 of 1 over" in seen


class TestDoctor:
    def found(self, desk: Desk) -> dict:
        """Give what it finds of load tests."""
        findings = desk.cli("doctor", "--json").told
        return {each["check"]: each for each in findings if each["check"].startswith("k6")}

    def test_it_looks_at_each_namespace(self, there, box):
        box.launch("load", exits=(0, 0))

        found = self.found(there)["k6 main/k6-runs"]

        assert found["state"] == "ok"
        assert re.search(r"^Kubernetes v1\..* lists 1 TestRuns, 4 pods, 4 jobs$", found["found"])

    def test_it_names_the_right_that_is_missing_and_the_settings(self, there, box, tmp_path):
        stranger = there.with_settings(k6_kubeconfig=box.kubeconfig(tmp_path, NOBODY))

        found = self.found(stranger)["k6 main/k6-runs"]

        assert found["state"] == "absent"
        assert re.search(r"kubectl auth can-i list \S+ --namespace k6-runs$", found["found"])
        assert "SYNCSVC_K6_NAMESPACES" in found["remedy"]

    def test_it_says_how_to_configure_a_cluster_where_there_is_none(self, nobody):
        found = self.found(nobody)["k6"]

        assert (found["state"], found["found"]) == ("absent", "no cluster is configured")
        assert "SYNCSVC_K6_KUBECONFIG" in found["remedy"]
