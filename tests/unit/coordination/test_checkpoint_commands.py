"""The commands of checkpoints, as every wire gives them."""

import asyncio

import msgspec
import pytest

from syncsvc.coordination.operations.checkpoints import checkpoint_operations
from syncsvc.coordination.operations.operation import Caller
from syncsvc.errors import Conflict, Rejected
from tests.support.meetings import Hall

RUN = "r"


class Desk:
    """Gives commands as JSON and reads the answers."""

    def __init__(self) -> None:
        self.hall = Hall()
        self.operations = checkpoint_operations(self.hall.meetings)

    async def ask(self, command: str, worker: str | None = "a", **content):
        operation = self.operations[f"checkpoint.{command}"]
        reply = await operation.perform(Caller(RUN, worker), msgspec.json.encode(content))
        assert isinstance(reply, operation.gives)
        return msgspec.to_builtins(reply)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_those_who_wait_are_told_how_it_ended(desk):
    one, two = await asyncio.gather(
        desk.ask("wait", worker="a", name="start", target=2),
        desk.ask("wait", worker="b", name="start", target=2),
    )

    assert one == two
    assert one == {
        "name": "start",
        "outcome": "released",
        "generation": 1,
        "target": 2,
        "arrived": 2,
        "start_at": one["start_at"],
        "start_in_ms": 500,
        "reason": None,
        "broken_by": [],
    }


async def test_the_worker_of_the_content_is_meant_rather_than_the_connections(desk):
    await asyncio.gather(
        desk.ask("wait", worker="x", name="start", target=2),
        desk.ask("wait", worker="y", name="start", target=2),
    )
    status = await desk.ask("status", worker=None, name="start")

    assert [each["worker"] for each in status["arrived"]] == ["x", "y"]


async def test_a_wait_that_times_out_is_an_answer(desk):
    wait = asyncio.create_task(desk.ask("wait", name="start", target=2, timeout_seconds=1.5))
    await desk.hall.turn()
    await desk.hall.move(1.5)

    reply = await wait
    assert (reply["outcome"], reply["start_at"]) == ("timed_out", None)
    assert "timed out after 1.5 s: 1 of 2 arrived" in reply["reason"]


async def test_a_broken_wait_names_who_broke_it(desk):
    terms = {"name": "start", "target": 3, "policy": "fail"}
    stays = asyncio.create_task(desk.ask("wait", worker="a", **terms))
    await desk.hall.turn()
    await desk.ask("leave", worker="b", name="start")

    reply = await stays
    assert (reply["outcome"], reply["broken_by"]) == ("broken", ["b"])
    assert reply["reason"] == "checkpoint 'start' is broken: b left"


async def test_an_abort_ends_the_wait_and_a_reset_begins_anew(desk):
    wait = asyncio.create_task(desk.ask("wait", name="start", target=2))
    await desk.hall.turn()
    aborted = await desk.ask("abort", worker=None, name="start", reason="enough")
    reset = await desk.ask("reset", worker=None, name="start")

    assert ((await wait)["outcome"], (await wait)["reason"]) == ("aborted", "enough")
    assert (aborted["state"], aborted["reason"]) == ("aborted", "enough")
    assert (reset["state"], reset["generation"]) == ("unknown", 2)


async def test_status_says_who_is_there_and_who_is_missing(desk):
    desk.hall.present = ["a", "b"]
    wait = asyncio.create_task(desk.ask("wait", name="start", target=3, cyclic=True))
    await desk.hall.turn()

    status = await desk.ask("status", worker=None, name="start")

    since = status["arrived"][0]["since"]
    assert status == {
        "name": "start",
        "state": "open",
        "generation": 1,
        "target": 3,
        "policy": "ignore",
        "cyclic": True,
        "arrived": [{"worker": "a", "since": since}],
        "anonymous": 0,
        "missing": ["b"],
        "missing_count": 2,
        "reason": None,
    }
    wait.cancel()
    await asyncio.gather(wait, return_exceptions=True)


async def test_leaving_ends_the_wait(desk):
    wait = asyncio.create_task(desk.ask("wait", name="start", target=2))
    await desk.hall.turn()

    status = await desk.ask("leave", name="start")

    assert (status["arrived"], (await wait)["outcome"]) == ([], "left")


async def test_a_target_that_differs_is_a_conflict(desk):
    wait = asyncio.create_task(desk.ask("wait", name="start", target=4))
    await desk.hall.turn()

    with pytest.raises(Conflict, match="target: expected 4 as the first arrival set it, found 5"):
        await desk.ask("wait", worker="b", name="start", target=5)
    wait.cancel()
    await asyncio.gather(wait, return_exceptions=True)


@pytest.mark.parametrize(
    ("command", "content", "field"),
    [
        ("wait", {"name": "start"}, "target"),
        ("wait", {"name": "start", "target": 0}, "target"),
        ("wait", {"name": "start", "target": 10**30}, "target"),
        ("wait", {"name": "start", "target": "2"}, "target"),
        ("wait", {"name": "start", "target": 2, "timeout_seconds": 0}, "timeout_seconds"),
        ("wait", {"name": "start", "target": 2, "policy": "burn"}, "policy"),
        ("wait", {"name": "start", "target": 2, "generation": 0}, "generation"),
        ("wait", {"name": "", "target": 2}, "name"),
        ("abort", {"name": "start"}, "reason"),
        ("abort", {"name": "start", "reason": " "}, "reason"),
        ("status", {"name": "start", "more": 1}, "more"),
    ],
)
async def test_what_cannot_be_is_rejected_by_its_field(desk, command, content, field):
    with pytest.raises(Rejected, match=f"^{field}: "):
        await desk.ask(command, **content)


async def test_nobody_waits_without_a_name(desk):
    with pytest.raises(Rejected, match="worker: expected the name"):
        await desk.ask("wait", worker=None, name="start", target=2)
