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
from syncsvc.cli.pushing.verdict import Verdict
from syncsvc.cli.pushing.waiting import Listing, wait
from syncsvc.errors import Rejected, Unavailable, Unknown
from syncsvc.results.pushed.model import Result
from syncsvc.results.reports import Found

NOTHING = {"phase": "open", "results": {}, "last_error": None, "files": {}}


@dataclass
class Elsewhere:
    """A gateway behind a wire that time passes on only when somebody pauses."""

    answers: list[httpx.Response | Exception] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    seconds: float = 0.0
    told: list[str] = field(default_factory=list)

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
        deadline = Deadline(patience, lambda: self.seconds)
        return Gateway(http, deadline, self.pause, tell=self.told.append)


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


def test_whoever_waits_for_a_gateway_is_told_once_why_and_for_how_long():
    failure = httpx.ConnectError("Connection refused")
    wire = Elsewhere([*[failure] * 6, said(200, {"id": "7"})])

    wire.gateway(patience=30).call("GET", "/x")

    (told,) = wire.told
    assert "http://gateway.example did not answer: Connection refused" in told
    assert told.endswith("; asking again for 29 s")


def test_a_failure_of_a_moment_is_not_told():
    wire = Elsewhere([refused(503), refused(503), said(200, {})])

    wire.gateway().call("GET", "/x")

    assert wire.told == []


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
    listing = Listing(wire.gateway(patience), "run")
    verdict = Verdict.of(listing, wait(listing, Teller(), complete=complete))
    return verdict.ok, verdict.told


def test_waiting_ends_well_once_all_is_delivered():
    wire = Elsewhere([run_with(pending=1, delivered=1), run_with(held=1, delivered=1)])

    ok, told = waited(wire, complete=False)

    assert ok
    assert told.splitlines() == [
        "run run: 2 accepted, 2 delivered",
        "the run is still open; end it: syncsvc run complete run --wait",
    ]
    assert wire.seconds == 0.5


def test_waiting_for_a_run_to_end_takes_until_it_is_completed():
    ended = said(200, {"pushed": {**NOTHING, "phase": "completed", "results": {"delivered": 2}}})
    wire = Elsewhere([run_with(held=1, delivered=1), ended])

    assert waited(wire, complete=True) == (True, "run run: 2 accepted, 2 delivered")


def dead(*reasons: str, key: str = "mine") -> httpx.Response:
    entries = [{"reason": reason, "key": key} for reason in reasons]
    return said(200, {"results": entries, "next": None})


def test_dead_results_are_told_with_their_most_frequent_reasons_and_what_to_do():
    reasons = ["400"] * 3 + ["404"] * 2 + ["413"] * 2 + ["rare"]
    wire = Elsewhere([run_with(dead=8, delivered=1), dead(*reasons)])

    ok, told = waited(wire, complete=False)

    assert not ok
    assert told.splitlines() == [
        "run run: 9 accepted, 1 delivered, 8 dead",
        "  3 x 400",
        "  2 x 404",
        "  2 x 413",
        "look:  syncsvc results list --dead --run run",
        "again: syncsvc results retry --run run",
    ]


def test_what_others_pushed_to_the_run_is_not_judged():
    wire = Elsewhere([run_with(dead=2, delivered=3), dead("no", "no", key="theirs")])
    listing = Listing(wire.gateway(), "run", {hash("mine")})

    verdict = Verdict.of(listing, wait(listing, Teller(), complete=False))

    assert verdict.ok
    assert verdict.as_json()["judged"] == "push"
    first = "run run: 1 accepted, 1 delivered, and 4 of other pushes, which are not judged"
    assert verdict.told.splitlines()[0] == first


def test_waiting_ends_when_only_results_of_others_wait():
    others, theirs = run_with(pending=1, delivered=1), dead("later", key="theirs")
    wire = Elsewhere([others, theirs, others, theirs])
    listing = Listing(wire.gateway(), "run", {hash("mine")})

    verdict = Verdict.of(listing, wait(listing, Teller(), complete=False))

    assert (verdict.ok, wire.seconds) == (True, 0)


def test_a_result_that_dies_between_two_looks_is_no_success():
    waits, dies = run_with(pending=1), run_with(dead=1)
    wire = Elsewhere([waits, dead(), dies, dead("400")])
    listing = Listing(wire.gateway(), "run", {hash("mine")})

    verdict = Verdict.of(listing, wait(listing, Teller(), complete=False))

    assert (verdict.ok, verdict.counts) == (False, {"dead": 1})


@pytest.mark.parametrize("pending", [dead(), dead("later")])
def test_a_result_that_dies_at_the_deadline_is_no_success(pending):
    waits = run_with(pending=1)
    wire = Elsewhere([waits, pending, dead("400")])
    listing = Listing(wire.gateway(patience=0), "run", {hash("mine")})

    verdict = Verdict.of(listing, wait(listing, Teller(), complete=False))

    assert (verdict.ok, verdict.counts) == (False, {"dead": 1})


def test_a_dead_result_of_this_push_is_judged_among_those_of_others():
    page = {"results": [{"reason": "no", "key": key} for key in ("theirs", "mine")], "next": None}
    wire = Elsewhere([run_with(dead=2), said(200, page)])
    listing = Listing(wire.gateway(), "run", {hash("mine"), hash("mine too")})

    verdict = Verdict.of(listing, wait(listing, Teller(), complete=False))

    assert not verdict.ok
    assert verdict.counts == {"dead": 1, "delivered": 1}


def test_a_refused_file_of_the_run_is_no_success():
    pushed = {**NOTHING, "phase": "completed", "results": {"delivered": 1}, "last_error": "413"}
    wire = Elsewhere([said(200, {"pushed": {**pushed, "files": {"refused": 1}}})])

    ok, told = waited(wire, complete=True)

    assert not ok
    assert told.splitlines() == [
        "run run: 1 accepted, 1 delivered, 1 files refused",
        "  last error: 413",
        "look:  syncsvc run show run",
    ]


def test_files_of_the_run_are_sent_and_named(tmp_path):
    log = tmp_path / "log.txt"
    log.write_bytes(b"logs")
    wire = Elsewhere([refused(404), said(200, {}), said(200, {"files": []})])
    sender = Sender(wire.gateway(), Target("run"), silent)

    sender.attach([log])

    assert [request.method for request in wire.asked] == ["HEAD", "PUT", "POST"]
    assert wire.asked[2].url.path == "/api/v1/runs/run/attachments"
    digest = sha256(b"logs").hexdigest()
    files = [{"digest": digest, "name": "log.txt"}]
    assert json.loads(wire.asked[2].content) == {"files": files}


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

    wait(Listing(wire.gateway(), "run"), Listener(), complete=False, expected=2)

    assert heard == [Standing(2, n, expected=2) for n in range(3)]


def test_a_deadline_counts_down_and_stays_at_zero():
    now = 0.0
    clock: Callable[[], float] = lambda: now  # noqa: E731 - moved by the test
    deadline = Deadline(timedelta(seconds=5).total_seconds(), clock)

    assert deadline.left == 5
    now = 9.0
    assert deadline.left == 0
