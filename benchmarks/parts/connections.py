"""Connections: how fast they are taken, and what each costs while it is idle."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from benchmarks.crowd import crowd
from benchmarks.figures import Figure, Goal, cpu_figure, medians, plain_figure
from benchmarks.machine import resident_kb
from benchmarks.sides import Side, metered

_BURST = 2000  # connections opened to see how fast they are taken


def measure(sides: Sequence[Side], idle: int, repeats: int) -> Iterator[Figure]:
    yield _memory(idle, {side.name: _held(side, idle) for side in sides})  # of fresh processes
    samples: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats):
        for side in sides:
            for name, value in _burst(side):
                samples[name].append(value)
    yield from _rates(medians(samples))


def _burst(side: Side) -> Iterator[tuple[str, float]]:
    with metered(side) as meter, crowd(side.web_sockets, _BURST, side.upgrade("connects")) as them:
        side.settle(0)
        yield f"{side.name} per", _BURST / them.joining
    side.settle(0)  # so that leaving does not count for whoever is measured next
    for group, cpu_us in meter.per(_BURST).items():
        yield f"{group} us", cpu_us


def _held(side: Side, idle: int) -> dict[str, float]:
    """Give the memory that an idle connection costs, in kB for each group of processes."""
    before = {name: resident_kb(pids) for name, pids in side.groups.items()}
    with crowd(side.web_sockets, idle, side.upgrade("idle")):
        side.settle(0.2)
        after = {name: resident_kb(pids) for name, pids in side.groups.items()}
    side.settle(0)
    return {name: (after[name] - before[name]) / idle for name in before}


def _rates(found: dict[str, float]) -> Iterator[Figure]:
    case = f"{_BURST:,} in a burst"
    yield plain_figure("connections", case, "per s", found)
    yield cpu_figure("connections", case, "CPU us to join", found)


def _memory(idle: int, found: dict[str, dict[str, float]]) -> Figure:
    ours = found.get("product")
    return Figure(
        "idle connections",
        f"{idle:,} held",
        "kB each",
        sum(found["ceiling"].values()) if "ceiling" in found else None,
        sum(ours.values()) if ours else None,
        made_of=" + ".join(f"{name} {kb:.1f}" for name, kb in (ours or {}).items()),
        goal=Goal(30),
    )
