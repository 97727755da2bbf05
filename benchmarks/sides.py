"""Whom a measurement compares: the ceiling, and the product with what keeps its state."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count

from benchmarks.crowd import Address, Crowd, crowd
from benchmarks.frames import upgrade
from benchmarks.machine import cpu_seconds
from benchmarks.servers import Served

_QUIET = 0.01  # seconds without work after which servers have settled
_IDLE_CPU = 0.0005  # what timers of an idle server may use of it
_fresh = count(1_000)  # the state is new in each run


def new_test() -> int:
    """Give the id of a test that nobody has used."""
    return next(_fresh)


@dataclass(frozen=True)
class Side:
    """A server, or several on one state; `groups` are the pids whose CPU is shown apart."""

    name: str
    web_sockets: Sequence[Address]
    http: Address
    groups: Mapping[str, Sequence[int]]
    paths: Mapping[str, str] = field(default_factory=dict)
    is_together: bool = True  # whether its servers share their state

    def upgrade(self, purpose: str) -> bytes:
        """Give the request that joins a test of its own, or a run for topics."""
        room = "runs" if purpose == "topic" else "register"
        return upgrade(self.paths.get(purpose, f"/{room}/{new_test()}"))

    @property
    def pids(self) -> list[int]:
        return [pid for pids in self.groups.values() for pid in pids]

    def cpu(self) -> dict[str, float]:
        return {name: cpu_seconds(pids) for name, pids in self.groups.items()}

    def settle(self, at_least: float) -> None:
        """Wait so many seconds, and until the servers have done what they were asked for."""
        time.sleep(at_least)
        before = cpu_seconds(self.pids)
        for _ in range(500):
            time.sleep(_QUIET)
            now = cpu_seconds(self.pids)
            if now - before < _IDLE_CPU:
                return
            before = now
        raise AssertionError(f"{self.name} does not come to rest")


def bare(servers: Sequence[Served]) -> Side:
    paths = {"checkpoint": "/meet", "topic": "/relay"}
    groups = {"ceiling": [each.pid for each in servers]}
    return Side(
        "ceiling",
        [each.web_socket for each in servers],
        servers[0].http,
        groups,
        paths,
        is_together=False,
    )


def product(gateways: Sequence[Served], valkey: int) -> Side:
    groups = {"gateway": [each.pid for each in gateways], "Valkey": [valkey]}
    return Side("product", [each.web_socket for each in gateways], gateways[0].http, groups)


@contextmanager
def joined(sides: Sequence[Side], count: int, purpose: str) -> Iterator[list[tuple[Side, Crowd]]]:
    """Open so many connections to each side, so that they can be measured in turns."""
    with ExitStack() as opened:
        yield [
            (side, opened.enter_context(crowd(side.web_sockets, count, side.upgrade(purpose))))
            for side in sides
        ]


@dataclass
class Meter:
    """CPU between two moments, in seconds."""

    cpu: dict[str, float] = field(default_factory=dict)

    def per(self, operations: int) -> dict[str, float]:
        """Give the microseconds of each group for an operation."""
        return {name: spent / operations * 1e6 for name, spent in self.cpu.items()}


@contextmanager
def metered(side: Side) -> Iterator[Meter]:
    meter = Meter()
    before = side.cpu()
    yield meter
    meter.cpu = {name: spent - before[name] for name, spent in side.cpu().items()}
