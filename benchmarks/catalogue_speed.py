"""Speed: the same catalogue by syncsvc and by dlt, in turns, at several latencies."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.catalogue_dlt import loaded
from benchmarks.catalogue_ours import crew, left_to_workers, waited_for
from benchmarks.catalogue_sample import Sample, header, line, middle
from benchmarks.catalogue_world import Size, World

SIZE = Size(products=50, features=20, tests=40, sectioned=0.2)
AT_ONCE = 10
OURS, ALONE, WORKERS = "ours, command + workers", "ours, command alone", "ours, workers alone"
DLT, DLT_WHOLE = "dlt", "dlt, no tables of lists"
AGAIN = ", again"
WALL, CPU = 6.0, 8.0  # the goals, at 200 ms


@dataclass
class Race:
    """Rounds of all sides at one latency."""

    folder: Path
    world: World
    python: Path | None
    workers: int
    more: Mapping[str, str]
    found: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))

    def run(self, rounds: int) -> dict[str, Sample]:
        for number in range(rounds):
            for side in _in_turn(self._sides(), number):
                side(self.folder / f"{number}-{side.__name__.strip('_')}")
        return {name: middle(samples) for name, samples in self.found.items()}

    def _sides(self) -> list[Callable[[Path], None]]:
        ours = [self._together, self._alone, self._left]
        return ours if self.python is None else [self._together, self._dlt, *ours[1:], self._whole]

    def _together(self, folder: Path) -> None:
        with crew(folder, self.world, self.workers, self.more) as ours:
            self._keep(OURS, waited_for(ours, self.world))
            self._keep(OURS + AGAIN, waited_for(ours, self.world))

    def _left(self, folder: Path) -> None:
        with crew(folder, self.world, self.workers, self.more) as ours:
            self._keep(WORKERS, left_to_workers(ours, self.world))
            self._keep(WORKERS + AGAIN, left_to_workers(ours, self.world))

    def _alone(self, folder: Path) -> None:
        with crew(folder, self.world, 0, self.more) as ours:
            self._keep(ALONE, waited_for(ours, self.world))
            self._keep(ALONE + AGAIN, waited_for(ours, self.world))

    def _dlt(self, folder: Path) -> None:
        assert self.python is not None
        for name in (DLT, DLT + AGAIN):
            self._keep(name, loaded(self.python, folder, self.world, whole_items=False))

    def _whole(self, folder: Path) -> None:
        assert self.python is not None
        self._keep(DLT_WHOLE, loaded(self.python, folder, self.world, whole_items=True))

    def _keep(self, name: str, sample: Sample) -> None:
        assert sample.rows == SIZE.rows, f"{name} stored {sample.rows}, not {SIZE.rows}"
        self.found[name].append(sample)


def warm_up(race: Race) -> None:
    """Let each side run once, unmeasured."""
    race.world.build(SIZE)
    race.world.slow_down(0)
    race.run(1)


def speed(race: Race, latency: float, rounds: int) -> None:
    """Print what a catalogue costs at one latency, and the ratios."""
    race.world.build(SIZE)
    race.world.slow_down(latency)
    floor = SIZE.calls() / AT_ONCE * latency
    print(
        f"\n{latency * 1000:.0f} ms latency, {SIZE}, {race.workers} task workers, "
        f"median of {rounds}; floor {floor:.2f} s: {SIZE.calls()} calls, {AT_ONCE} at once"
    )
    found = race.run(rounds)
    print(header())
    for name, sample in found.items():
        print(line(name, sample))
    for side in (OURS, WORKERS, ALONE):
        _compare(side, found)
    if latency == 0.2:
        _judge(found)


def _in_turn(
    sides: Sequence[Callable[[Path], None]], number: int
) -> Sequence[Callable[[Path], None]]:
    return sides if number % 2 == 0 else list(reversed(sides))


def _compare(side: str, found: Mapping[str, Sample]) -> None:
    for rival in (DLT, DLT_WHOLE):
        if rival in found:
            ours, theirs = found[side], found[rival]
            print(
                f"ratio {side} / {rival}: wall {ours.wall / theirs.wall:.2f}, "
                f"CPU {ours.cpu / theirs.cpu:.2f}; without start-up: "
                f"wall {ours.run / theirs.run:.2f}, CPU {ours.cpu_of_run / theirs.cpu_of_run:.2f}"
            )


def _judge(found: Mapping[str, Sample]) -> None:
    for side in (OURS, WORKERS):
        sample = found[side]
        for name, value, goal in (("wall", sample.wall, WALL), ("CPU", sample.cpu, CPU)):
            print(f"goal {side}: {name} {value:.2f} s <= {goal:g} s {_met(value <= goal)}")
        if DLT in found:
            print(f"goal {side}: faster than dlt {_met(sample.wall < found[DLT].wall)}")


def _met(is_met: bool) -> str:  # noqa: FBT001 - it only names the two
    return "met" if is_met else "NOT MET"
