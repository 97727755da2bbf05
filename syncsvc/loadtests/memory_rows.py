"""What the memory twins of all ports hold together."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from syncsvc.errors import Conflict, Unknown
from syncsvc.loadtests.chunking import Part
from syncsvc.loadtests.model import LoadTest, Step
from syncsvc.loadtests.parents import derived, in_order
from syncsvc.loadtests.ports import Cycle, KeptLog, SyncJob
from syncsvc.loadtests.summary_rows import Row


@dataclass
class Shelf:
    tests: dict[str, LoadTest] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    cycles: dict[int, Cycle] = field(default_factory=dict)
    logs: dict[str, KeptLog] = field(default_factory=dict)
    chunks: dict[str, dict[int, Part]] = field(default_factory=dict)
    summaries: dict[str, dict[int, list[Row]]] = field(default_factory=dict)
    job: SyncJob = field(default_factory=SyncJob)
    fence: int = 0

    def check(self, fence: int) -> None:
        """Raises Conflict when a newer cycle has begun."""
        if fence != self.fence:
            raise Conflict(f"cycle: expected the newest, {self.fence}, found {fence}: read again")

    def steps_of(self, test_id: str) -> list[Step]:
        found = [step for step in self.steps.values() if step.test_id == test_id]
        return sorted(found, key=in_order)

    def derive(self, test_ids: Iterable[str]) -> None:
        for test_id in test_ids:
            self.tests[test_id] = derived(self.tests[test_id], self.steps_of(test_id))

    def forget(self, test_id: str) -> None:
        for step in self.steps_of(test_id):
            del self.steps[step.id]
            self.summaries.pop(step.id, None)
            for log_id in [key for key, log in self.logs.items() if log.source.step_id == step.id]:
                del self.logs[log_id]
                self.chunks.pop(log_id, None)
        del self.tests[test_id]


def not_known(what: str, its_id: str) -> Unknown:
    return Unknown(f"{what}: expected the id of one that is recorded, found {its_id[:80]!r}")
