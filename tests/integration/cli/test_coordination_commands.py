"""The commands that keep a run in step, as a shell script meets them."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from syncsvc.cli import app
from tests.integration.cli.test_command_line import syncsvc as any_syncsvc
from tests.support.elsewhere import Elsewhere
from tests.support.waiting import until

TOKEN = "import os; print(os.environ['SYNCSVC_FENCING_TOKEN'], flush=True)"
STUBBORN = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("asked to stop", flush=True), sys.exit(0)))
print("ready", flush=True)
signal.pause()
"""


LEASE = "6s"  # it is not lost by itself while the machine is busy


class Answer(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def answered(*arguments: str, **variables: str) -> Answer:
    result = CliRunner().invoke(app, arguments, env=variables)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as elsewhere:
        yield elsewhere


@pytest.fixture
def syncsvc(elsewhere):
    """Carry out a command in this process, which is quick."""

    def syncsvc(*arguments: str, **variables: str) -> Answer:
        return answered(*arguments, SYNCSVC_SERVER=elsewhere.url, **variables)

    return syncsvc


@pytest.fixture
def process(elsewhere):
    """Carry it out in a process of its own, whose children write where it does."""
    return lambda *arguments: any_syncsvc(*arguments, SYNCSVC_SERVER=elsewhere.url)


@pytest.fixture
def start(elsewhere):
    """Start a command that goes on; it is ended with the test."""
    started = []

    def start(*arguments: str, **options: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "syncsvc", *arguments],
            env={**os.environ, "SYNCSVC_SERVER": elsewhere.url},
            text=True,
            **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait(count: int, worker: str) -> list[str]:
    return ["checkpoint", "wait", "start", "--count", str(count), "--worker", worker]


def test_all_who_arrive_go_on_with_the_last_one(start, syncsvc):
    first = start(*wait(2, "w1"), "--json", "--together")

    second = syncsvc(*wait(2, "w2"))
    out, _ = first.communicate(timeout=30)

    assert (second.returncode, second.stdout) == (0, "start: released (generation 1, 2 of 2)\n")
    assert (first.returncode, json.loads(out)["outcome"]) == (0, "released")


def test_a_wait_that_takes_too_long_is_124(syncsvc):
    answer = syncsvc(*wait(2, "w1"), "--timeout", "100ms", "--json")

    assert answer.returncode == 124
    reason = json.loads(answer.stdout)["reason"]
    assert "timed out after 0.1 s: 1 of 2 arrived" in reason
    assert answer.stderr == f"syncsvc: {reason}\n"


def test_a_checkpoint_is_aborted_looked_at_left_and_reset(start, syncsvc, elsewhere):
    waiting = start(*wait(3, "w1"))
    elsewhere.until_asked("checkpoint.wait")
    leaving = start(*wait(3, "w2"))
    elsewhere.until_asked("checkpoint.wait", 2)

    seen = until(lambda: _status(syncsvc, arrived=2), "both have arrived")
    left = syncsvc("checkpoint", "leave", "start", "--worker", "w2")
    aborted = syncsvc("checkpoint", "abort", "start", "--reason", "no database")
    _, said = waiting.communicate(timeout=30)
    leaving.communicate(timeout=30)
    reset = syncsvc("checkpoint", "reset", "start", "--json")

    assert seen.startswith("start: open, generation 1; 2 of 3 have arrived: w1, w2")
    assert (left.stdout, leaving.returncode) == ("start: w2 has left\n", 1)
    assert (aborted.stdout, waiting.returncode) == ("start: aborted: no database\n", 1)
    assert "no database" in said
    assert json.loads(reset.stdout) == {"name": "start", "reset": True}


def _status(syncsvc, arrived: int) -> str:
    said = syncsvc("checkpoint", "status", "start").stdout
    return said if f" {arrived} of " in said else ""


def test_a_terminal_shows_for_whom_one_waits(start, syncsvc):
    ours, theirs = pty.openpty()
    waiting = start(*wait(2, "w1"), stderr=theirs)

    said = os.read(ours, 1000).decode()
    syncsvc(*wait(2, "w2"))
    waiting.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)

    assert said.strip() == "waiting: 1 of 2 have arrived"


def test_a_command_runs_under_a_lock_with_its_fencing_token(process, syncsvc):
    first, second = (
        process("lock", "run", "database", "--", sys.executable, "-c", TOKEN) for _ in range(2)
    )

    assert (first.returncode, second.returncode) == (0, 0)
    assert 0 < int(first.stdout) < int(second.stdout)
    assert syncsvc("lock", "status", "database").stdout == "database: free, 0 waiting\n"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["sh", "-c", "exit 3"], 3),
        (["sh", "-c", "kill -9 $$"], 137),
        (["/no/such/command"], 127),
        (["/etc/passwd"], 126),
    ],
)
def test_the_exit_code_is_that_of_the_command(syncsvc, command, code):
    assert syncsvc("lock", "run", "database", "--", *command).returncode == code


def test_a_lock_that_somebody_holds_is_waited_for_in_vain(start, syncsvc):
    held = start("lock", "run", "database", "--worker", "w1", "--", "sh", "-c", "echo in; read _")
    assert held.stdout.readline() == "in\n"

    at_once = syncsvc("lock", "run", "database", "--wait", "0s", "--", "true")
    in_time = syncsvc("lock", "run", "database", "--wait", "50ms", "--", "true")
    status = json.loads(syncsvc("lock", "status", "database", "--json").stdout)

    assert (at_once.returncode, at_once.stderr) == (1, "syncsvc: database: held by w1\n")
    assert in_time.returncode == 124
    assert [holder["worker"] for holder in status["holders"]] == ["w1"]


def test_a_command_whose_lock_is_lost_is_stopped(start, elsewhere):
    running = start("lock", "run", "database", "--ttl", LEASE, "--", sys.executable, "-c", STUBBORN)
    assert running.stdout.readline() == "ready\n"

    elsewhere.do(elsewhere.server.leases.lose)
    out, said = running.communicate(timeout=30)

    assert (running.returncode, out) == (75, "asked to stop\n")
    assert said.endswith("somebody else may hold it; the command was stopped\n")


def test_signals_reach_the_command_and_the_lock_is_given_back(start, syncsvc):
    running = start("lock", "run", "database", "--", sys.executable, "-c", STUBBORN)
    assert running.stdout.readline() == "ready\n"

    running.send_signal(signal.SIGTERM)
    out, _ = running.communicate(timeout=30)

    assert (running.returncode, out) == (0, "asked to stop\n")
    assert syncsvc("lock", "status", "database").stdout == "database: free, 0 waiting\n"


def test_so_many_commands_run_as_there_are_permits(start, syncsvc):
    held = start("semaphore", "run", "seats", "--limit", "1", "--", "sh", "-c", "echo in; read _")
    assert held.stdout.readline() == "in\n"

    answer = syncsvc("semaphore", "run", "seats", "--limit", "1", "--wait", "0s", "--", "true")

    assert answer.returncode == 1

    assert "held by" in syncsvc("semaphore", "status", "seats").stdout


def test_readers_run_side_by_side_and_a_writer_alone(start, syncsvc):
    reading = start("rwlock", "run", "schema", "--worker", "r", "--", "sh", "-c", "echo in; read _")
    assert reading.stdout.readline() == "in\n"

    beside = syncsvc("rwlock", "run", "schema", "--wait", "0s", "--", "true")
    alone = syncsvc("rwlock", "run", "schema", "--write", "--wait", "0s", "--", "true")

    assert (beside.returncode, alone.returncode) == (0, 1)
    status = syncsvc("rwlock", "status", "schema")
    assert status.stdout == "schema: held by r (read), 0 waiting\n"


def test_one_leads_and_others_see_who(start, syncsvc):
    leading = start(
        "leader", "campaign", "master", "--worker", "w1", "--", "sh", "-c", "echo; read _"
    )
    assert leading.stdout.readline() == "\n"

    seen = syncsvc("leader", "observe", "master", "--once")

    assert seen.stdout.startswith("master: w1 leads, token ")


def test_a_leader_writes_with_its_token_and_nobody_with_an_older_one(syncsvc):
    write = [sys.executable, "-m", "syncsvc", "data", "put", "schema", "2", "--fence", "leader/m"]
    led = syncsvc("leader", "campaign", "m", "--", *write)
    older = syncsvc("data", "put", "schema", "1", "--fence", "leader/m", SYNCSVC_FENCING_TOKEN="1")
    nothing = syncsvc("data", "put", "schema", "1", "--fence", "leader/m")

    assert (led.returncode, older.returncode, nothing.returncode) == (0, 1, 2)
    assert syncsvc("data", "get", "schema").stdout == "2\n"


def test_data_is_put_and_got(syncsvc, tmp_path):
    (tmp_path / "value").write_text('{"a": 1}')

    version = int(syncsvc("data", "put", "url", "http://shop").stdout)
    from_file = syncsvc("data", "put", "conf/a", f"@{tmp_path / 'value'}", "--if-version", "0")
    taken = syncsvc("data", "put", "conf/a", "1", "--if-version", "0")
    listed = syncsvc("data", "list", "conf/")
    item = json.loads(syncsvc("data", "get", "conf/a", "--json").stdout)
    watched = syncsvc("data", "watch", "url", "--once")

    assert syncsvc("data", "get", "url").stdout == "http://shop\n"
    assert (from_file.returncode, taken.returncode) == (0, 1)
    assert listed.stdout.startswith("conf/a  ")
    assert item["value"] == {"a": 1}
    assert watched.stdout == f"{version}  http://shop\n"
    assert syncsvc("data", "delete", "url", "--if-version", str(version)).returncode == 0
    assert syncsvc("data", "get", "url").returncode == 1


def test_text_stays_text_when_one_says_so(syncsvc):
    syncsvc("data", "put", "number", "007")
    syncsvc("data", "put", "text", "7", "--text")

    values = [
        json.loads(syncsvc("data", "get", k, "--json").stdout)["value"] for k in ("number", "text")
    ]

    assert values == ["007", "7"]


def test_counters_and_signals_are_waited_for(syncsvc):
    assert syncsvc("counter", "add", "n", "--by", "5").stdout == "5\n"
    assert syncsvc("counter", "add", "n", "--by", "-2").stdout == "3\n"
    assert syncsvc("counter", "get", "n", "--json").stdout == '{"name":"n","value":3}\n'
    assert syncsvc("counter", "wait", "n", "--at-least", "3").stdout == "3\n"
    assert syncsvc("counter", "wait", "n", "--at-least", "4", "--timeout", "0s").returncode == 124
    assert syncsvc("signal", "send", "ready").stdout == "1\n"
    assert syncsvc("signal", "wait", "ready").stdout == "1\n"
    assert syncsvc("signal", "wait", "ready", "--count", "2", "--timeout", "0s").returncode == 124


def test_topics_are_read_from_any_place_on(start, syncsvc):
    for value in ("one", '{"n": 2}'):
        syncsvc("topic", "publish", "log", value)
    following = start("topic", "read", "log", "--after", "1", "--follow", "--json")

    entry = json.loads(following.stdout.readline())
    following.send_signal(signal.SIGINT)
    following.wait(30)

    assert syncsvc("topic", "read", "log").stdout == 'one\n{"n":2}\n'
    assert (entry["offset"], entry["payload"]) == (2, {"n": 2})
    assert following.returncode == 130


def test_who_is_present_is_listed(syncsvc):
    assert syncsvc("presence", "list").stdout == "nobody\n"


def test_whoever_is_present_is_seen_to_come(start):
    watching = start("presence", "watch")
    assert watching.stdout.readline() == "nobody\n"

    holding = start("presence", "hold", "--worker", "w1")

    assert holding.stdout.readline() == "w1 is present\n"
    assert watching.stdout.readline() == "w1\n"


def test_signals_are_sent_and_waited_for_in_one_step(start, syncsvc):
    first = start("signal", "meet", "ready", "--count", "2")

    second = syncsvc("signal", "meet", "ready", "--count", "2")

    out, _ = first.communicate(timeout=30)
    assert {out, second.stdout} == {"1\n", "2\n"}


def test_runs_are_apart(syncsvc):
    syncsvc("counter", "add", "n", "--run", "a")

    assert syncsvc("counter", "get", "n", SYNCSVC_RUN="a").stdout == "1\n"
    assert syncsvc("counter", "get", "n").stdout == "0\n"


def test_a_server_that_is_not_there_is_69():
    answer = answered("counter", "get", "n", "--server", "ws://127.0.0.1:1")

    assert answer.returncode == 69
    assert answer.stderr.startswith("syncsvc: no server within 10 s: ")
    assert answer.stderr.endswith("; start it with 'syncsvc up', or set SYNCSVC_SERVER\n")
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["counter", "get", "n", "--server", "http://127.0.0.1"],
        ["counter", "wait", "n", "--at-least", "1", "--timeout", "soon"],
        ["data", "put", "k", "@/no/such/file"],
        ["checkpoint", "wait", "start"],
    ],
)
def test_wrong_usage_is_2(arguments):
    answer = answered(*arguments)

    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "group",
    [
        "checkpoint",
        "lock",
        "rwlock",
        "semaphore",
        "leader",
        "data",
        "counter",
        "signal",
        "topic",
        "presence",
    ],
)
def test_every_group_says_what_its_exit_codes_mean(group):
    answer = answered(group, "--help")

    assert answer.stdout.startswith(f"Usage: syncsvc {group}")
    assert "124 timed out" in answer.stdout


def test_a_command_that_does_not_stop_when_its_lock_is_lost_is_killed(
    syncsvc, elsewhere, tmp_path, monkeypatch
):
    monkeypatch.setattr("syncsvc.cli.coordination.guarded.GRACE", 0.1)
    started = tmp_path / "started"
    deaf = f"trap '' TERM; touch {started}; while :; do read _; done < /dev/zero"

    def lose() -> None:
        until(started.exists, "the command has started")
        elsewhere.do(elsewhere.server.leases.lose)

    with ThreadPoolExecutor(1) as thread:
        losing = thread.submit(lose)
        answer = syncsvc("lock", "run", "database", "--ttl", LEASE, "--", "sh", "-c", deaf)
        losing.result()

    assert answer.returncode == 75
