"""`syncsvc sync` as a person and a script meet it, before a TestIO in a box."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cluster.catalogue.home import Ended, Home, home
from tests.cluster.catalogue.world import Sandbox, World, running_sandbox
from tests.support.k6_commands import a_player, typed

COMMANDS = (
    "run",
    "status",
    "history",
    "show",
    "cancel",
    "quarantine",
    "quarantine list",
    "quarantine retry",
)
WHOLE_ID = r"[0-9a-f]{32}"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture
def world(sandbox: Sandbox, request: pytest.FixtureRequest) -> World:
    world = World(sandbox, f"token-{abs(hash(request.node.name))}")
    world.build(products=3, features=2, tests=30)
    return world


@dataclass(frozen=True)
class Played(Home):
    """A place whose commands are run by one process, unless somebody answers them."""

    player: "subprocess.Popen[str] | None" = None

    def cli(self, *arguments: str, said: str | None = None) -> Ended:
        if said is not None or self.player is None:
            return super().cli(*arguments, said=said)
        found = typed(self.player, ["sync", *arguments], self.environment, self.folder)
        return Ended(found.code, found.out, found.err)


@pytest.fixture(scope="module")
def player() -> Iterator["subprocess.Popen[str]"]:
    with a_player() as process:
        yield process


@pytest.fixture
def there(world: World, tmp_path, player) -> Home:
    settings = {"testio_url": world.sandbox.testio, "testio_token": world.token}
    return Played(tmp_path, home(tmp_path, **settings).settings, player)


@pytest.fixture
def nobody(tmp_path, player) -> Home:
    """Give a place where nothing is configured."""
    return Played(tmp_path, home(tmp_path).settings, player)


def runs(there: Home) -> list[dict[str, object]]:
    """List the runs, newest first."""
    found: list[dict[str, object]] = there.ask("history")["runs"]
    return found


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_of_every_command_has_an_example(nobody, command):
    answer = nobody.cli(*command.split(), "--help")

    assert answer.code == 0
    assert "Example: syncsvc sync" in " ".join(answer.out.split())


def test_what_came_of_a_sync_is_told_and_its_last_line_has_the_duration(there):
    answer = there.cli("run")

    assert answer.code == 0
    assert re.fullmatch(rf"sync {WHOLE_ID} of default runs\n", answer.err)
    *phases, last = answer.out.splitlines()
    assert [line.split()[0] for line in phases] == ["products", "features", "tests"]
    assert re.fullmatch(rf"sync {WHOLE_ID}: success in \d+\.\d s, \d+ calls", last)


def test_before_the_first_sync_there_is_nothing_to_see(there):
    status, history, quarantine = (
        there.cli(*words) for words in (["status"], ["history"], ["quarantine", "list"])
    )

    assert status.out.splitlines()[1].split() == ["default", *"000000", "never"]
    assert history.out == "no such sync\n"
    assert quarantine.out == "nothing is quarantined\n"


def test_every_command_speaks_json_too(there):
    run = there.sync()["run_id"]

    assert there.ask("status")["customers"][0]["tests"] == 90
    assert there.ask("history")["runs"][0]["id"] == run
    assert there.ask("show", run[:12])["run"]["id"] == run
    assert there.ask("quarantine", "list") == {"places": []}
    assert there.ask("quarantine", "retry", "--all") == {"retried": 0}
    assert len(there.ask("run", "--dry-run")["products"]) == 3


def test_a_run_is_shown_by_how_its_id_begins_and_lists_are_as_wide_as_a_terminal(there):
    run = there.sync()["run_id"]

    listed = there.cli("history").out
    shown = there.cli("show", listed.splitlines()[1].split()[0])

    assert all(len(line.rstrip()) <= 80 for line in listed.splitlines())
    assert shown.out.startswith(f"sync {run} of default: success")
    assert "completed        sync completed in" in shown.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("run --product-ids x", "--product-ids: expected positive numbers with commas between,"),
        ("run --since yesterday", "--since: expected a date such as 2026-11-01,"),
        ("run --if-running ask", "--if-running: expected one of wait, fail, join, found 'ask'"),
        ("run --lock-timeout 99999999999d", "--lock-timeout: expected a duration such as"),
        ("run --nuke", "--nuke: nobody is there to be asked: use --confirm default"),
        ("run --nuke --confirm x", "--nuke: expected 'default' to be typed, found 'x'"),
        ("run --nuke --since 3d --confirm default", "--nuke: expected without --since, found both"),
        ("run --confirm default", "--confirm: expected with --nuke only"),
        ("run --dry-run --no-wait", "--no-wait: expected without --dry-run"),
        ("run --no-wait", "a sync that is left to task workers needs Redis"),
        ("run --customer nobody", "--customer: expected one of default, found 'nobody'"),
        ("history --customer nobody", "--customer: expected one of default, found 'nobody'"),
        ("show ffff", "RUN: expected the id of a sync, or how it begins, found 'ffff'"),
        ("quarantine retry", "ID, --customer, --all: expected one of them"),
        ("quarantine retry 01", "ID: expected the id of a quarantined place"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it_and_exit_code_2(there, arguments, told):
    answer = there.cli(*arguments.split())

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"syncsvc: {told}"), answer.err
    assert answer.err.count("\n") == 1


def test_without_a_token_it_says_what_to_set(nobody):
    refused, status = nobody.cli("run"), nobody.cli("status")

    assert refused.code == 2
    assert "no customer of TestIO is configured: set SYNCSVC_TESTIO_TOKEN" in refused.err
    assert (status.code, status.out.partition(":")[0]) == (0, "no customer of TestIO is configured")


def test_a_token_that_is_refused_is_exit_code_5(there):
    stranger = home(there.folder, testio_url=there.settings["testio_url"], testio_token="wrong")

    answer = stranger.cli("run")

    assert answer.code == 5
    assert "error: products: TestIO answered 401" in answer.err
    assert "check SYNCSVC_TESTIO_TOKEN" in answer.err
    assert '"event"' not in answer.err


def test_a_testio_that_is_away_is_exit_code_1_without_a_log(tmp_path):
    away = home(tmp_path, testio_url="http://127.0.0.1:9/customer/v2", testio_token="t")

    answer = away.cli("run", "--phases", "products")

    assert answer.code == 1
    assert "error: products: TestIO did not answer GET /products" in answer.err
    assert '"event"' not in answer.err


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("database_url", "postgresql://u:s3cret@localhost:1/x", "the database did not serve"),
        ("redis_url", "redis://:s3cret@localhost:1", "SYNCSVC_REDIS_URL: the server cannot be"),
    ],
)
def test_what_cannot_be_reached_is_one_line_and_exit_code_1(tmp_path, setting, value, told):
    answer = home(tmp_path, **{"testio_token": "t", setting: value}).cli("run")

    assert answer.code == 1
    assert answer.err.startswith(f"syncsvc: {told}")
    assert "s3cret" not in answer.err
    assert "Traceback" not in answer.err


def test_a_folder_that_cannot_be_made_is_one_line_and_exit_code_2(tmp_path):
    answer = home(tmp_path, testio_token="t", data_dir="/proc/none").cli("run")

    assert answer.code == 2
    assert answer.err.startswith("syncsvc: SYNCSVC_DATA_DIR: expected a folder that can be written")
    assert "Traceback" not in answer.err


def test_what_failed_is_named_and_all_else_is_in_step_and_that_is_exit_code_3(there, world):
    broken = {"kind": "status", "code": 500, "pattern": "/2008/features$"}

    with world.sandbox.misbehaving(broken):
        answer = there.cli("run")

    assert answer.code == 3
    assert "error: features of product 2008: TestIO answered 500" in answer.err
    assert "all else is in step" in answer.err


def test_a_test_that_cannot_be_read_is_quarantined_listed_and_tried_again(there, world):
    test = world.product(2008)["tests"][4]["id"]
    world.tell("PUT", f"/tests/{test}/poison", {})

    synced, listed = there.cli("run"), there.cli("quarantine", "list").out
    again = there.cli("quarantine", "retry", listed.split()[0])

    assert "what is quarantined: syncsvc sync quarantine list" in synced.err
    assert "default, product 2008: a test between" in listed
    assert again.out == "1 will be tried again by the next sync\n"


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_the_sync_and_says_what_is_kept(there, world, how, code):
    with world.sandbox.misbehaving(latency=1.0), there.begun("run") as process:
        assert process.stderr is not None
        run = process.stderr.readline().split()[1]
        world.has_been_asked(1)
        process.send_signal(how)
        _, told = process.communicate(timeout=20)

    assert process.returncode == code
    assert f"interrupted: sync {run} is cancelled after" in told
    assert "what it stored is kept: 'syncsvc sync run' goes on from there" in told
    assert runs(there)[0]["status"] == "cancelled"


def test_a_second_signal_does_not_wait_and_the_next_sync_takes_over(there, world):
    with world.sandbox.misbehaving(latency=20), there.begun("run") as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGSTOP)  # or it might end between the two
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        process.wait(30)

    assert process.returncode < 0
    assert there.sync()["stats"]["products"]["created"] == 3


def test_while_one_runs_another_is_refused_or_waits_for_it(there, world):
    with world.sandbox.misbehaving(latency=20), there.begun("run") as process:
        assert process.stderr is not None
        run = process.stderr.readline().split()[1]
        refused = there.cli("run", "--if-running", "fail")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

    assert refused.code == 4
    assert f"customer default is synced by run {run}" in refused.err


def test_nothing_that_runs_cannot_be_cancelled(there):
    answer = there.cli("cancel")

    assert (answer.code, answer.err) == (1, "syncsvc: no sync of customer default runs\n")


def test_who_stops_reading_gets_no_stack_trace(there):
    there.sync()
    command = [sys.executable, "-m", "syncsvc", "sync", "show", runs(there)[0]["id"]]
    reader, writer = os.pipe()
    os.close(reader)

    answer = subprocess.run(
        command, env=there.environment, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)

    assert answer.stderr == b""


def test_of_several_customers_one_must_be_named(world, tmp_path):
    customers = [{"name": name, "token": world.token} for name in ("acme", "beta")]
    both = home(tmp_path, testio_url=world.sandbox.testio, testio_customers=json.dumps(customers))

    refused = both.cli("run")
    both.sync("--customer", "beta")

    assert (refused.code, refused.err) == (
        2,
        "syncsvc: --customer: expected one of acme, beta, found none\n",
    )
    assert [each["tests"] for each in both.ask("status")["customers"]] == [0, 90]


class TestOnATerminal:
    """`syncsvc sync run` as somebody sees it who sits before it."""

    def play(self, there: Home, *arguments: str, typed: bytes = b"") -> tuple[int, str]:
        terminal, side = pty.openpty()
        environment = {**there.environment, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
        command = [sys.executable, "-m", "syncsvc", "sync", *arguments]
        with subprocess.Popen(
            command,
            env=environment,
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
        ) as process:
            os.close(side)
            os.write(terminal, typed)
            seen = b""
            try:
                while piece := os.read(terminal, 65_536):
                    seen += piece
            except OSError:  # how Linux says that the other side is closed
                pass
            code = process.wait(60)
        os.close(terminal)
        return code, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())

    def test_bars_count_and_the_last_line_says_how_it_ended(self, there, world):
        with world.sandbox.misbehaving(latency=0.3):
            code, screen = self.play(there, "run")

        assert code == 0
        assert re.search(r"3/3 0:00:\d\d features", screen)
        assert re.search(r"success in \d+\.\d s, \d+ calls\s*$", screen)

    def test_a_nuke_asks_for_the_name(self, there):
        there.sync()

        refused, _ = self.play(there, "run", "--nuke", typed=b"yes\n")
        done, screen = self.play(there, "run", "--nuke", typed=b"default\n")

        assert (refused, done) == (2, 0)
        assert "All that is stored of default will be built anew" in screen
        assert len(runs(there)) == 2

    def test_who_does_not_answer_begins_nothing(self, there):
        code, screen = self.play(there, "run", "--nuke", typed=b"\x04")

        assert (code, runs(there)) == (130, [])
        assert "nothing was begun" in screen
