"""What `results push` says and returns, with a gateway that answers as it is told to."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

import httpx
import pytest

from syncsvc.cli.pushing.gateway import Deadline, Gateway
from syncsvc.cli.pushing.sending import Sender, Target
from syncsvc.cli.pushing.telling import Standing, Teller
from syncsvc.cli.pushing.waiting import wait
from syncsvc.errors import Rejected, Unavailable, Unknown
from syncsvc.results.pushed.model import Result
from syncsvc.results.reports import Found

NOTHING = {"phase": "open", "results": {}, "last_error": None}


@dataclass
class Elsewhere:
    """A gateway behind a wire that time passes on only when somebody pauses."""

    answers: list[httpx.Response | Exception] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    seconds: float = 0.0

    def answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return httpx.Response(found.status_code, content=found.content)

    def pause(self, seconds: float) -> None:
        self.seconds += seconds

    def gateway(self, patience: float = 60) -> Gateway:
        http = httpx.Client(
            transport=httpx.MockTransport(self.answer), base_url="http://gateway.example"
        )
        return Gateway(http, Deadline(patience, lambda: self.seconds), self.pause)


def said(status: int, body: object) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(body).encode())


def refused(status: int) -> httpx.Response:
    return said(status, {"error": {"message": "because"}})


def run_with(**results: int) -> httpx.Response:
    return said(200, {"pushed": {**NOTHING, "results": results}})


def found(test: str = "t", **more: object) -> Found:
    return Found(Result(external_id=test, status="passed"), **more)


def silent(_sender: Sender) -> None:
    pass


@pytest.mark.parametrize(
    "failure", [refused(503), refused(500), httpx.ConnectError("no"), httpx.ReadTimeout("late")]
)
def test_what_fails_for_a_while_is_asked_again(failure):
    wire = Elsewhere([failure, failure, said(200, {"id": "7"})])

    assert wire.gateway().call("GET", "/x") == {"id": "7"}
    assert len(wire.asked) == 3


def test_it_gives_up_at_the_deadline_and_says_why():
    wire = Elsewhere([refused(503)])

    with pytest.raises(Unavailable, match="because"):
        wire.gateway(patience=10).call("GET", "/x")

    assert 5 <= wire.seconds <= 10


@pytest.mark.parametrize(("status", "kind"), [(400, Rejected), (401, Rejected), (404, Unknown)])
def test_a_refusal_is_not_repeated(status, kind):
    wire = Elsewhere([refused(status)])

    with pytest.raises(kind, match="because"):
        wire.gateway().call("GET", "/x")

    assert len(wire.asked) == 1


@pytest.mark.parametrize("failure", [refused(503), httpx.ReadTimeout("late")])
def test_what_may_have_been_done_is_not_asked_twice(failure):
    wire = Elsewhere([failure, said(200, {})])

    with pytest.raises(Unavailable):
        wire.gateway().call("POST", "/x", lambda: b"{}", once=True)

    assert len(wire.asked) == 1


def test_a_proxy_that_answers_in_html_is_told_by_its_status():
    wire = Elsewhere([httpx.Response(403, content=b"<html>")])

    with pytest.raises(Rejected, match=r"GET http://gateway\.example/x answered 403"):
        wire.gateway().call("GET", "/x")


def test_a_request_that_is_sent_again_is_the_same_request():
    wire = Elsewhere([httpx.ReadTimeout("late"), said(200, {"new": 0, "known": 1})])
    sender = Sender(wire.gateway(), Target("run", "p", "c"), silent)

    sender.send([found()])

    first, second = (request.content for request in wire.asked)
    assert first == second
    assert (sender.new, sender.known) == (0, 1)
    body = json.loads(first)
    assert (body["project_id"], body["configuration_id"]) == ("p", "c")
    assert len(body["results"][0]["key"]) > 64


def test_a_file_that_two_results_share_is_sent_once(tmp_path):
    log = tmp_path / "log.txt"
    log.write_bytes(b"logs" * 100_000)
    accepted = said(200, {"new": 2, "known": 0})
    wire = Elsewhere([refused(404), said(200, {}), accepted])
    sender = Sender(wire.gateway(), Target("run"), silent)

    sender.send([found("a", files=[log]), found("b", files=[log])])

    assert [request.method for request in wire.asked] == ["HEAD", "PUT", "POST"]
    digest = sha256(log.read_bytes()).hexdigest()
    assert wire.asked[1].url.path == f"/api/v1/runs/run/attachments/{digest}"
    assert wire.asked[1].content == log.read_bytes()
    sent = json.loads(wire.asked[2].content)["results"]
    assert [each["attachments"] for each in sent] == [[{"digest": digest, "name": "log.txt"}]] * 2


def test_a_file_that_the_run_has_is_not_sent(tmp_path):
    log = tmp_path / "log.txt"
    log.write_bytes(b"logs")
    wire = Elsewhere([httpx.Response(200), said(200, {"new": 1, "known": 0})])
    sender = Sender(wire.gateway(), Target("run"), silent)

    sender.send([found(files=[log])])

    assert ([request.method for request in wire.asked], sender.files) == (["HEAD", "POST"], 0)


def waited(wire: Elsewhere, *, complete: bool, patience: float = 60) -> tuple[bool, str]:
    outcome = wait(wire.gateway(patience), "run", Teller(), complete=complete)
    return outcome.ok, outcome.told


def test_waiting_ends_well_once_all_is_delivered():
    wire = Elsewhere([run_with(pending=1, delivered=1), run_with(held=1, delivered=1)])

    ok, told = waited(wire, complete=False)

    assert (ok, told) == (True, "run run: 2 accepted, 1 delivered; the run is still open")
    assert wire.seconds == 0.5


def test_waiting_for_a_run_to_end_takes_until_it_is_completed():
    ended = said(200, {"pushed": {**NOTHING, "phase": "completed", "results": {"delivered": 2}}})
    wire = Elsewhere([run_with(held=1, delivered=1), ended])

    assert waited(wire, complete=True) == (True, "run run: 2 accepted, 2 delivered")


def test_dead_results_are_told_with_their_reason_and_where_to_look():
    pushed = {**NOTHING, "results": {"dead": 1, "delivered": 1}, "last_error": "401"}
    wire = Elsewhere([said(200, {"pushed": pushed})])

    ok, told = waited(wire, complete=False)

    assert not ok
    assert "1 dead; last error: 401" in told
    assert "syncsvc results list --dead --run run" in told


def test_what_is_not_delivered_in_time_is_counted():
    wire = Elsewhere([run_with(pending=3)])

    ok, told = waited(wire, complete=True, patience=2)

    assert not ok
    assert "3 not delivered in time, the run is not completed yet" in told
    assert wire.seconds == 2


def test_progress_is_told_while_it_changes():
    heard: list[Standing] = []

    class Listener(Teller):
        def tell(self, standing: Standing) -> None:
            heard.append(standing)

    wire = Elsewhere([run_with(pending=2), run_with(pending=1, delivered=1), run_with(delivered=2)])

    wait(wire.gateway(), "run", Listener(), complete=False)

    assert heard == [Standing(2), Standing(2, 1), Standing(2, 2)]


def test_a_deadline_counts_down_and_stays_at_zero():
    now = 0.0
    clock: Callable[[], float] = lambda: now  # noqa: E731 - moved by the test
    deadline = Deadline(timedelta(seconds=5).total_seconds(), clock)

    assert deadline.left == 5
    now = 9.0
    assert deadline.left == 0
