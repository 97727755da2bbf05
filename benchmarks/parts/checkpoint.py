"""Agents meet at a checkpoint: CPU for each, and how long the last arrival holds them all."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from time import perf_counter

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure, Goal, cpu_figure, medians, plain_figure
from benchmarks.frames import command
from benchmarks.sides import Side, joined, metered

ROUNDS = 8  # in turn, for each repeat
_LARGEST_READ = 65_536
_rounds = count(10_000)
_GOALS_AT = 1000  # agents


def arrival(target: int) -> bytes:
    """Give the frame that arrives at a checkpoint nobody has used."""
    content = {"identifier": f"round-{next(_rounds)}", "target_count": target}
    return command("wait_checkpoint", content)


def measure(sides: Sequence[Side], sizes: Iterable[int], repeats: int) -> Iterator[Figure]:
    for agents in sizes:
        case = f"{agents:,} agents"
        found = _medians(sides, agents, repeats)
        goals = (Goal(40), Goal(1.3, of="ratio")) if agents == _GOALS_AT else (None, None)
        yield cpu_figure("checkpoint", case, "CPU us per agent", found, goals[0])
        yield plain_figure("last arrival to release", case, "ms", found, goals[1])


def measure_spread(sides: Sequence[Side], agents: int, repeats: int) -> Iterator[Figure]:
    """Measure agents that are spread over several gateways, beside one ceiling."""
    case = f"{agents:,} agents on two"
    found = _medians(sides, agents, repeats)
    yield cpu_figure("checkpoint", case, "CPU us per agent", found)
    yield plain_figure("last arrival to release", case, "ms", found)


def _medians(sides: Sequence[Side], agents: int, repeats: int) -> dict[str, float]:
    samples: dict[str, list[float]] = defaultdict(list)
    with joined(sides, agents, "checkpoint") as crowds:
        for number in range(ROUNDS * repeats + 1):
            for side, them in crowds:
                for name, value in _round(side, them, number):
                    samples[name].append(value)
    return medians(samples)


def _round(side: Side, them: Crowd, number: int) -> Iterator[tuple[str, float]]:
    with metered(side) as meter:
        seconds = _meet(them, side, last=number)
    if number:  # the first one warms up
        yield f"{side.name} ms", seconds * 1000
        for group, cpu_us in meter.per(len(them.fds)).items():
            yield f"{group} us", cpu_us


def _meet(them: Crowd, side: Side, last: int) -> float:
    """Hold one round, and give the seconds from the last arrival to the last release."""
    frame = arrival(len(them.fds))
    latest = them.fds[last % len(them.fds)]
    for fd in them.fds:
        if fd != latest:
            os.write(fd, frame)
    side.settle(at_least=0.02 + len(them.fds) / 100_000)
    started = perf_counter()
    os.write(latest, frame)
    released(them, len(them.fds))
    return perf_counter() - started


def released(them: Crowd, agents: int) -> None:
    """Read until so many releases have come."""
    usual, read = None, os.read
    while agents:
        for fd in them.ready():
            got = read(fd, _LARGEST_READ)
            if got == usual:
                agents -= 1
                continue
            messages = list(them.messages(fd, got))
            assert all(b'"finished":true' in message for message in messages), messages
            agents -= len(messages)
            if messages:
                usual = got
