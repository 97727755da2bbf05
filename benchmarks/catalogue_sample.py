"""What one sync has taken, whoever did it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.catalogue_world import Asked


@dataclass(frozen=True)
class Sample:
    """`wall` and `cpu` are of the command as its user sees it, its start-up included.

    `run` is how long the sync itself took, `starting` the CPU of the command before it began, and
    `crew` what task workers and Valkey had used before anybody asked for a sync.
    """

    wall: float
    run: float
    cpu: float
    starting: float
    asked: Asked
    rows: tuple[int, ...]
    crew: float = 0.0
    workers_mb: float = 0.0
    command_mb: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)  # CPU by process, and of the sandbox

    @property
    def cpu_of_run(self) -> float:
        return max(0.0, self.cpu - self.starting)

    @property
    def cpu_of_all(self) -> float:
        return self.cpu + self.crew


def middle(samples: Sequence[Sample]) -> Sample:
    """Give the medians; what is not a time is of the sample with the median wall."""
    typical = sorted(samples, key=lambda each: each.wall)[len(samples) // 2]
    return Sample(
        wall=median(each.wall for each in samples),
        run=median(each.run for each in samples),
        cpu=median(each.cpu for each in samples),
        starting=median(each.starting for each in samples),
        crew=median(each.crew for each in samples),
        workers_mb=max(each.workers_mb for each in samples),
        command_mb=max(each.command_mb for each in samples),
        asked=typical.asked,
        rows=typical.rows,
        shares={name: median(each.shares[name] for each in samples) for name in typical.shares},
    )


def header() -> str:
    return (
        f"{'':34} {'wall s':>7} {'run s':>7} {'CPU s':>7} {'-start':>7} {'+crew':>7} "
        f"{'calls':>6} {'peak':>5} {'tests':>5} {'worker MB':>9} {'command MB':>10}  CPU s of"
    )


def line(name: str, found: Sample) -> str:
    asked = found.asked
    shares = " ".join(f"{name} {spent:.2f}" for name, spent in found.shares.items())
    return (
        f"{name:34} {found.wall:7.2f} {found.run:7.2f} {found.cpu:7.2f} {found.cpu_of_run:7.2f} "
        f"{found.cpu_of_all:7.2f} {asked.calls:6} {asked.peak:5} {asked.peak_of_tests:5} "
        f"{found.workers_mb:9.0f} {found.command_mb:10.0f}  {shares}"
    ).rstrip()
