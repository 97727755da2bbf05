"""How the life of a TestRun goes: what ends it, what never comes to pass, what it says."""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs

Exit = Annotated[int, Meta(ge=0, le=255)] | Literal["oom", "evicted", "deleted"]
Exits = Annotated[Sequence[Exit], Meta(min_length=1, max_length=1000)]
Initialization = Literal[
    "ok", "fails", "bad_arguments", "too_few_vus", "image_pull", "unschedulable", "disabled"
]
Runners = Literal["run", "image_pull", "unschedulable"]
Summary = Literal["v2", "v0.49", "none"]
StageName = Literal["initialization", "initialized", "created", "started", "stopped", "finished"]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Rate = Annotated[float, Meta(ge=0, le=1000)]
Lines = Annotated[int, Meta(ge=0, le=100_000)]
Name = Annotated[str, Meta(pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
Names = Annotated[Sequence[Name], Meta(max_length=10)]
WORDS = {
    "initialization": "ok, fails, bad_arguments, too_few_vus, image_pull, unschedulable, disabled",
    "runners": "run, image_pull, unschedulable",
    "summary": "v2, v0.49, none",
    "deleted_at": "initialization, initialized, created, started, stopped, finished",
    "exits": "exit codes, oom, evicted or deleted",
}


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    exits: Exits = (0,)  # of the runners in their order; the last one repeats
    initialization: Initialization = "ok"
    runners: Runners = "run"
    duration: Seconds = 4.0  # under load
    stopped_seconds: Seconds = 0.03
    lines: Lines = 3  # that a runner writes when it starts
    lines_per_second: Rate = 0.0
    progress: bool = False  # the noise of a k6 that is not told to be quiet
    summary: Summary = "v2"
    sidecars: Names = ()
    init_containers: Names = ()
    deleted_at: StageName | None = None  # somebody deletes the TestRun then
    recreated: bool = False  # and makes it again under its name

    def exit_of(self, index: int) -> int | str:
        """Say what the runner of this number, from 1, ends with."""
        return self.exits[min(index, len(self.exits)) - 1]


class Alter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scenario in part; what is left out stays."""

    exits: Exits | UnsetType = UNSET
    initialization: Initialization | UnsetType = UNSET
    runners: Runners | UnsetType = UNSET
    duration: Seconds | UnsetType = UNSET
    stopped_seconds: Seconds | UnsetType = UNSET
    lines: Lines | UnsetType = UNSET
    lines_per_second: Rate | UnsetType = UNSET
    progress: bool | UnsetType = UNSET
    summary: Summary | UnsetType = UNSET
    sidecars: Names | UnsetType = UNSET
    init_containers: Names | UnsetType = UNSET
    deleted_at: StageName | UnsetType | None = UNSET
    recreated: bool | UnsetType = UNSET

    def of(self, scenario: Scenario) -> Scenario:
        wished = structs.asdict(self).items()
        return structs.replace(scenario, **{k: v for k, v in wished if v is not UNSET})
