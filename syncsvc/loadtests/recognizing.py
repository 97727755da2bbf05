"""Which steps that are to be registered are known already, under whatever id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from syncsvc.loadtests.model import Step


@dataclass
class Known:
    """Steps by what they are known by."""

    by_id: dict[str, Step] = field(default_factory=dict)
    watching: dict[tuple[str, str, str], Step] = field(default_factory=dict)
    by_uid: dict[tuple[str, str], Step] = field(default_factory=dict)

    def add(self, step: Step) -> None:
        """Take in a step; of several with one uid the latest added counts."""
        self.by_id[step.id] = step
        if not step.is_over:
            self.watching[_name(step)] = step
        if step.uid is not None:
            self.by_uid[step.cluster, step.uid] = step

    def find(self, step: Step) -> Step | None:
        """Find the step that stands for one, if there is any."""
        same = self.by_id.get(step.id) or self.watching.get(_name(step))
        return same or (self.by_uid.get((step.cluster, step.uid)) if step.uid else None)


def recognized(wanted: Sequence[Step], stored: Iterable[Step]) -> tuple[list[Step], list[Step]]:
    """Give a step for each that is wanted, and those of them that are new."""
    known = Known()
    for step in sorted(stored, key=lambda step: (step.registered_at, step.id)):
        known.add(step)
    given, new = [], []
    for step in wanted:
        found = known.find(step)
        if found is None:
            known.add(step)
            new.append(step)
        given.append(found or step)
    return given, new


def _name(step: Step) -> tuple[str, str, str]:
    return step.cluster, step.namespace, step.test_run
