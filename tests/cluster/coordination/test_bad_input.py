"""Bad input costs its sender an answer that names the field, and the others nothing."""

import asyncio
import json
from collections import Counter

import pytest

from tests.cluster.coordination.gathering import arrived, connect, told, wait
from tests.support.agents import Agent

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

WORKERS = [f"agent-{number}" for number in range(300)]
SOON = 30.0  # seconds
FLOODS = 40  # times everything that is wrong
MEGABYTE = "n" * 1_000_000

# what is wrong, and the field that the answer names
WRONG = {
    "a wrong type": ({"name": 5, "target": 2}, "name"),
    "a target that is text": ({"name": "x", "target": "2"}, "target"),
    "a negative target": ({"name": "x", "target": -1}, "target"),
    "a huge target": ({"name": "x", "target": 10**18}, "target"),
    "no target": ({"name": "x"}, "target"),
    "an empty name": ({"name": "", "target": 2}, "name"),
    "control characters": ({"name": "a\x00b", "target": 2}, "name"),
    "a field too many": ({"name": "x", "target": 2, "colour": "red"}, "colour"),
    "an unknown policy": ({"name": "x", "target": 2, "policy": "hope"}, "policy"),
    "a negative timeout": ({"name": "x", "target": 2, "timeout_seconds": -1}, "timeout_seconds"),
}
UNREADABLE = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"command": "checkpoint.wait", "content": ' + b'{"a":' * 50_000,
    b'{"command": 5}',
    b'{"command": "no.such", "id": 1, "content": {}}',
]


@pytest.fixture
async def flooder(fleet, run):
    return await Agent.connect(fleet.ports[0], run, "flooder")


@pytest.mark.parametrize(("content", "field"), WRONG.values(), ids=WRONG.keys())
async def test_what_is_wrong_is_answered_by_naming_the_field(flooder, content, field):
    answer = await refusal(flooder, content)

    assert answer["kind"] == "rejected"
    assert answer["message"].startswith(f"{field}: "), answer
    assert (await flooder.call("counter.get", name="fine"))["value"] == 0


async def test_a_name_of_a_megabyte_is_refused_shortly(fleet, run):
    agent = await Agent.connect(fleet.ports[0], run, "long")

    answer = await refusal(agent, {"name": MEGABYTE, "target": 2})

    assert answer["message"].startswith("name: ")
    assert len(answer["message"]) < 1000


async def test_a_flood_of_bad_input_does_not_touch_a_checkpoint(fleet, run):
    agents = await connect(fleet.ports, run, [*WORKERS, "last"])
    flooders = await connect(fleet.ports, run, ["bad-1", "bad-2"])
    waits = [wait(agent, len(agents)) for agent in agents[:150]]

    flooding = [asyncio.create_task(flood(flooder)) for flooder in flooders]
    waits += [wait(agent, len(agents)) for agent in agents[150:-1]]
    await arrived(agents[-1], len(WORKERS))
    last = await wait(agents[-1], len(agents))

    endings = [last, *await told(waits, SOON)]
    assert Counter(each["outcome"] for each in endings) == {"released": len(agents)}
    for refused in await asyncio.gather(*flooding):
        assert refused == FLOODS * len(WRONG)


async def flood(flooder: Agent) -> int:
    """Send everything that is wrong, and count what was refused; the connection stays usable."""
    refused = 0
    for _ in range(FLOODS):
        for payload in UNREADABLE:
            flooder.send(payload)
        answers = [flooder.begin("checkpoint.wait", **content) for content, _ in WRONG.values()]
        _, silent = await asyncio.wait(answers, timeout=SOON)
        assert not silent
        refused += sum(answer.exception() is not None for answer in answers)
    assert (await flooder.call("counter.get", name="fine"))["value"] == 0
    return refused


async def refusal(agent: Agent, content: dict) -> dict:
    """Give the answer to a wrong wait."""
    answer = agent.begin("checkpoint.wait", **json.loads(json.dumps(content)))
    await asyncio.wait([answer], timeout=SOON)
    refused = answer.exception()
    return {"kind": refused.kind, "message": refused.message}
