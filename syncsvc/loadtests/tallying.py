"""Counts what a cycle does, as it goes."""

from dataclasses import dataclass, field
from datetime import timedelta

from syncsvc.loadtests.model import Step
from syncsvc.loadtests.ports import CycleReport, Place, StepError


@dataclass
class Tally:
    """`updated` are the steps whose status was looked at; one whose log fails is an error too."""

    total: int = 0
    updated: int = 0
    calls: int = 0
    size: int = 0
    left: int = 0  # logs that there was no time for
    steps_with_logs: set[str] = field(default_factory=set, init=False)  # new ones
    _errors: dict[str, StepError] = field(default_factory=dict, init=False)

    def failed(self, step: Step, error: str) -> None:
        """Note what went wrong with a step; the first that did is told."""
        self._errors.setdefault(step.id, StepError(step.id, step.name, error))

    def failed_at(self, place: Place, error: str) -> None:
        """Note that nobody could look for new load tests at a place."""
        name = f"{place.cluster}/{place.namespace}"
        self._errors.setdefault(name, StepError("", name, error))

    def report(self, duration: timedelta) -> CycleReport:
        errors = tuple(self._errors.values())
        return CycleReport(
            total=self.total,
            updated=self.updated,
            errors=len(errors),
            logs_updated=len(self.steps_with_logs),
            calls=self.calls,
            size=self.size,
            duration=duration,
            step_errors=errors,
        )
