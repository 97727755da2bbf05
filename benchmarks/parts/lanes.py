"""Lanes: a server and the load on it share one core, and a second lane has a core of its own.

Here the load takes the same share of one lane as of two, so the ratio says what a second
gateway adds, and what is lost where they share their state.
"""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from statistics import median
from threading import Barrier
from time import perf_counter

from benchmarks.crowd import Address, crowd
from benchmarks.figures import Figure, Goal
from benchmarks.machine import cpu_seconds
from benchmarks.sides import Side

CONNECTIONS = 2000  # a lane
_LONGEST = 60.0  # seconds
_fork = multiprocessing.get_context("fork")
Span = tuple[float, float]


def measure(pairs: Sequence[Side], repeats: int) -> Iterator[Figure]:
    """Compare one lane of each side with two."""
    cores = sorted(os.sched_getaffinity(0))
    for pair in pairs:
        if len(cores) < len(pair.web_sockets):
            return
        rates: list[list[float]] = [[], []]
        shared: list[float] = []
        with _pinned(pair, cores):
            for _ in range(repeats):
                for lanes, found in enumerate(rates, start=1):
                    before, started = cpu_seconds(pair.groups.get("Valkey", ())), perf_counter()
                    found.append(_joined(pair, cores[:lanes]))
                    used = cpu_seconds(pair.groups.get("Valkey", ())) - before
                    shared.append(used / (perf_counter() - started))
        said = f"each on a core with its load; Valkey at most {max(shared):.2f} cores"
        yield Figure(
            f"two {pair.name}s beside one",
            "joining in lanes",
            "per s",
            median(rates[0]),
            median(rates[1]),
            made_of=said if pair.name == "product" else "",
            goal=Goal(1.6, of="ratio", at_least=True) if pair.name == "product" else None,
        )


def _joined(side: Side, cores: Sequence[int]) -> float:
    """Give the connections per second of so many lanes together."""
    begin, spans = _fork.Barrier(len(cores)), _fork.Queue()
    upgrade = side.upgrade("connects")
    loads = [
        _fork.Process(target=_load, args=(address, upgrade, core, begin, spans), daemon=True)
        for address, core in zip(side.web_sockets, cores, strict=False)
    ]
    try:
        for load in loads:
            load.start()
        found: list[Span] = [spans.get(timeout=_LONGEST) for _ in loads]
    finally:
        for load in loads:
            load.join(1)
            load.kill()
    side.settle(0)
    seconds = max(end for _, end in found) - min(start for start, _ in found)
    return CONNECTIONS * len(cores) / seconds


def _load(
    address: Address, upgrade: bytes, core: int, begin: "Barrier", spans: "Queue[Span]"
) -> None:
    """Open the connections of one lane, in a process of its own."""
    os.sched_setaffinity(0, {core})
    begin.wait(_LONGEST)
    started = perf_counter()
    with crowd([address], CONNECTIONS, upgrade) as them:
        ended = started + them.joining
        begin.wait(_LONGEST)  # all leave together, when nobody is measured
    spans.put((started, ended))


@contextmanager
def _pinned(side: Side, cores: Sequence[int]) -> Iterator[None]:
    """Keep the servers of a side to a core each."""
    servers = next(iter(side.groups.values()))
    for pid, core in zip(servers, cores, strict=False):
        _allow(pid, {core})
    yield
    for pid in servers:
        _allow(pid, set(cores))


def _allow(pid: int, cores: set[int]) -> None:
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)
