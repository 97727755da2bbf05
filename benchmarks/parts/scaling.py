"""Two gateways on one state beside one: what they carry together, and what limits them.

The load takes its share of the same cores, so two bare servers beside one show the most that
could be seen here. In each figure one server stands in the ceiling's column.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median
from time import perf_counter

import psutil

from benchmarks.crowd import Crowd, crowd
from benchmarks.figures import Figure, Goal
from benchmarks.parts.checkpoint import arrival, released
from benchmarks.sides import Side

CONNECTIONS = 3000
AGENTS = 1000
ROUNDS = 10
_FULL = 0.9  # of a core
IDLE, SERVERS = "idle", "CPU us of servers"
Shares = dict[str, float]


def measure(pairs: Sequence[Side], repeats: int) -> Iterator[Figure]:
    """Compare each side, which has two servers, with its first server alone."""
    for what, one in (("connections", _joining), ("arrivals", _arriving)):
        for pair in pairs:
            rates: dict[int, list[float]] = defaultdict(list)
            shares: dict[int, list[Shares]] = defaultdict(list)
            for _ in range(repeats):
                for servers in (1, 2):
                    side = replace(pair, web_sockets=pair.web_sockets[:servers])
                    rate, share = one(side)
                    rates[servers].append(rate)
                    shares[servers].append(share)
            is_ours = what == "connections" and pair.name == "product"
            yield Figure(
                f"two {pair.name}s beside one",
                what,
                "per s",
                median(rates[1]),
                median(rates[2]),
                made_of=_limits(shares[1], shares[2]),
                goal=Goal(1.6, of="ratio", at_least=True) if is_ours else None,
            )


def _joining(side: Side) -> tuple[float, Shares]:
    use = Use(side)
    with crowd(side.web_sockets, CONNECTIONS, side.upgrade("connects")) as them:
        shares = use.shares(CONNECTIONS)
        rate = CONNECTIONS / them.joining
    side.settle(0)
    return rate, shares


def _arriving(side: Side) -> tuple[float, Shares]:
    with crowd(side.web_sockets, AGENTS, side.upgrade("checkpoint")) as them:
        side.settle(0.05)
        use = Use(side)
        for _ in range(ROUNDS):
            _meet(them, side)
        shares = use.shares(AGENTS * ROUNDS)
        rate = AGENTS * ROUNDS / use.seconds
    side.settle(0)
    return rate, shares


def _meet(them: Crowd, side: Side) -> None:
    together = 1 if side.is_together else len(side.web_sockets)
    frame = arrival(len(them.fds) // together)
    for fd in them.fds:
        os.write(fd, frame)
    released(them, len(them.fds))


class Use:
    """Who keeps the cores busy from now on."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._before = self._now()
        self._started = perf_counter()
        self.seconds = 0.0

    def shares(self, operations: int) -> Shares:
        """Give the cores that each kept busy, and the servers' CPU for an operation."""
        self.seconds = perf_counter() - self._started
        spent = {name: now - self._before[name] for name, now in self._now().items()}
        shares = {name: cpu / self.seconds for name, cpu in spent.items()}
        servers = sum(spent[name] for name in self._side.groups)
        return {**shares, SERVERS: servers / operations * 1e6}

    def _now(self) -> Shares:
        return {**self._side.cpu(), "load": time.process_time(), IDLE: psutil.cpu_times().idle}


def _limits(one: Sequence[Shares], two: Sequence[Shares]) -> str:
    alone, both = (_typical(found) for found in (one, two))
    cores = ", ".join(
        f"{name} {alone[name]:.2f} -> {both[name]:.2f}" for name in alone if name != SERVERS
    )
    apart = 2 * alone[SERVERS] / both[SERVERS]
    return (
        f"cores: {cores}; {_limit(alone, 1)} limits one, {_limit(both, 2)} two; "
        f"{SERVERS} {alone[SERVERS]:.0f} -> {both[SERVERS]:.0f}, so x {apart:.2f} by CPU alone"
    )


def _typical(found: Sequence[Shares]) -> Shares:
    return {name: median(shares[name] for shares in found) for name in found[0]}


def _limit(shares: Shares, servers: int) -> str:
    full = [name for name in ("gateway", "ceiling") if shares.get(name, 0) >= _FULL * servers]
    full += [name for name in ("Valkey", "load") if shares.get(name, 0) >= _FULL]
    if shares[IDLE] <= (1 - _FULL) * len(os.sched_getaffinity(0)):
        full.append("the number of cores")
    return " and ".join(full) or "waiting for one another"
