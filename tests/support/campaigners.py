"""Candidates for many leaders in one process that may be paused; whoever leads keeps writing.

Each candidate trusts its own clock, which a test sets wrong, for how long it leads, and learns
better only when a renewal or a write is refused. One that is cut off sends nothing for a while
and then goes on as if nothing had happened. The process takes orders, a line each, and tells in
the end what it saw, on the clock that all processes of a machine share.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

import uvloop

from tests.support.agents import Agent, Refused
from tests.support.lines import Spoken, say, spoken_to

QUEUED = 5.0  # seconds that a candidate waits in line before it asks again


@dataclass(frozen=True)
class Site:
    """Where candidates live: one process, with a candidate for each lease."""

    name: str
    ports: Sequence[int]
    run: str
    leases: Sequence[str]
    ttl: float  # seconds
    seed: int


@dataclass(frozen=True)
class Seen:
    """What a candidate was told: `kind` is granted, renewed, written or refused."""

    kind: str
    lease: str
    worker: str
    token: int
    invoked: float
    returned: float
    version: int = 0  # of what was written


@dataclass
class Campaigners:
    """The process, as seen by the test that started it."""

    site: Site
    spoken: Spoken
    pauses: list[tuple[float, float]] = field(default_factory=list)

    def leads(self) -> int:
        """Count the leases that somebody here believes to hold."""
        return int(self._ask(do="count"))

    def cut_off(self, share: float, seconds: float) -> int:
        """Cut off a share of those who lead for a while, and count them."""
        return int(self._ask(do="cut", share=share, seconds=seconds))

    def drift(self, seconds: float) -> None:
        """Set every candidate's clock wrong by up to this, each by another amount."""
        self._ask(do="drift", seconds=seconds)

    def pause(self) -> None:
        self.spoken.process.send_signal(SIGSTOP)
        self.pauses.append((time.monotonic(), float("inf")))

    def go_on(self) -> None:
        self.spoken.process.send_signal(SIGCONT)
        self.pauses[-1] = (self.pauses[-1][0], time.monotonic())

    def end(self) -> list[Seen]:
        """Let everybody stop, and give what they saw."""
        return [Seen(*each) for each in self._ask(do="end")]

    def _ask(self, **order: Any) -> Any:
        self.spoken.say(order)
        return self.spoken.hear()


@contextmanager
def campaigns(folder: Path, *sites: Site) -> Iterator[list[Campaigners]]:
    """Start a process for each site, and kill them at the end, paused or not."""
    with ExitStack() as started:
        running = [
            Campaigners(
                site,
                started.enter_context(
                    spoken_to(
                        "tests.support.campaigners", asdict(site), folder / f"{site.name}.log"
                    )
                ),
            )
            for site in sites
        ]
        for each in running:
            assert each.spoken.hear() == "campaigning"
        yield running


@dataclass
class Candidate:
    """One worker that wants one lease."""

    agent: Agent
    lease: str
    worker: str
    ttl: float
    chance: random.Random
    seen: list[Seen]
    drift: float = 0.0
    cut_until: float = 0.0
    leads: bool = False

    async def campaign(self) -> None:
        """Ask for the lease, lead, and ask again, until cancelled."""
        while True:
            token = await self._granted()
            if token is not None:
                self.leads = True
                await self._lead(token)
                self.leads = False

    async def _granted(self) -> int | None:
        invoked = time.monotonic()
        reply = await self.agent.call(
            "leader.campaign",
            name=self.lease,
            worker=self.worker,
            ttl_seconds=self.ttl,
            wait_seconds=QUEUED,
        )
        if not reply["granted"]:
            return None
        self._saw("granted", reply["token"], invoked)
        return int(reply["token"])

    async def _lead(self, token: int) -> None:
        """Write and renew for as long as the own clock says that the lease lasts."""
        ends = self._clock() + self.ttl
        while self._clock() < ends:
            if not await self._write(token):
                return
            before = self._clock()
            if not await self._renew(token):
                return
            ends = before + self.ttl
            await asyncio.sleep(self.ttl * self.chance.uniform(0.2, 0.5))
            await self._uncut()

    async def _write(self, token: int) -> bool:
        fence = {"lease": f"leader/{self.lease}", "token": token}
        return await self._try(
            "written",
            "data.put",
            token,
            {"name": self.lease, "value": [self.worker, token], "fence": fence},
        )

    async def _renew(self, token: int) -> bool:
        content = {"name": self.lease, "token": token, "ttl_seconds": self.ttl}
        return await self._try("renewed", "leader.renew", token, content)

    async def _try(self, kind: str, command: str, token: int, content: dict[str, Any]) -> bool:
        invoked = time.monotonic()
        try:
            reply = await self.agent.call(command, worker=self.worker, **content)
        except Refused as refused:
            if refused.kind != "conflict":
                raise
            self._saw("refused", token, invoked)
            return False
        self._saw(kind, token, invoked, reply.get("version", 0))
        return True

    async def _uncut(self) -> None:
        await asyncio.sleep(max(self.cut_until - time.monotonic(), 0))

    def _clock(self) -> float:
        return time.monotonic() + self.drift

    def _saw(self, kind: str, token: int, invoked: float, version: int = 0) -> None:
        returned = time.monotonic()
        self.seen.append(Seen(kind, self.lease, self.worker, token, invoked, returned, version))


async def live(site: Site) -> None:
    """Let every candidate campaign, and carry out orders until told to end."""
    chance, seen = random.Random(site.seed), list[Seen]()
    agents = [await Agent.connect(port, site.run) for port in site.ports]
    candidates = [
        Candidate(agents[i % len(agents)], lease, site.name, site.ttl, chance, seen)
        for i, lease in enumerate(site.leases)
    ]
    async with asyncio.TaskGroup() as tasks:
        campaigning = [tasks.create_task(each.campaign()) for each in candidates]
        say("campaigning")
        while (order := await _next_order())["do"] != "end":
            say(_carry_out(order, candidates, chance))
        for task in campaigning:
            task.cancel()
    say([list(vars(each).values()) for each in seen])


def _carry_out(order: dict[str, Any], candidates: list[Candidate], chance: random.Random) -> Any:
    leading = [each for each in candidates if each.leads]
    match order["do"]:
        case "count":
            return len(leading)
        case "cut":
            cut = [each for each in leading if chance.random() < order["share"]]
            for each in cut:
                each.cut_until = time.monotonic() + order["seconds"]
            return len(cut)
        case "drift":
            for each in candidates:
                each.drift = chance.uniform(-order["seconds"], order["seconds"])
            return len(candidates)


async def _next_order() -> Any:
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    return json.loads(line or '{"do": "end"}')


if __name__ == "__main__":
    uvloop.run(live(Site(**json.loads(sys.argv[1]))))
