"""What is remembered of TestRuns and pods: how they were last seen, when no list shows them.

A pod that has ended keeps its end: that it is deleted afterwards does not change how it ended.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from syncsvc.loadtests.clusters import Change, Event
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.seen import ContainerState, Listed, PodSeen, Role, Stage, TestRunSeen

OVER = ("Succeeded", "Failed")
ENDS = (Stage.FINISHED, Stage.ERROR)


class Sign(StrEnum):
    """What pods tell of a step before a list does."""

    BORN = "born"  # and its TestRun was never seen
    ENDED = "ended"  # all of its runners
    LEAVING = "leaving"


@dataclass
class Recalled:
    """The pods of a place, by their TestRun's name and their uid, and which of them are gone.

    `runs` are TestRuns by name. Those that are `offered` were shown to a cycle that was carried
    out: the last one, or one before.
    """

    pods: dict[str, dict[str, PodSeen]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    runs: dict[str, TestRunSeen] = field(default_factory=dict)
    offered: set[str] = field(default_factory=set)  # uids
    _shown: set[str] = field(default_factory=set, init=False)  # to the cycle that is under way

    def take(self, event: Event[PodSeen]) -> PodSeen | None:
        """Take in a change, and give the pod as it is remembered now."""
        if event.seen is None:
            return None
        pod = ending_kept(self.now(event.seen), event.seen)
        self.pods.setdefault(pod.test_run, {})[pod.uid] = pod
        if event.change is Change.DELETED:
            self.gone.add(pod.uid)
        return pod

    def meet(self, run: TestRunSeen) -> bool:
        """Keep a TestRun as it is now, or as it ended; say whether that is news to a cycle."""
        known = self.runs.get(run.name)
        if known is not None and known.uid == run.uid and known.stage in ENDS:
            return False
        self.runs[run.name] = run
        return known is None or known.uid != run.uid or run.stage in ENDS

    def of(self, test_run: str) -> Sequence[PodSeen]:
        """Give the pods of a TestRun."""
        return list(self.pods.get(test_run, {}).values())

    def forget(self, pod: PodSeen) -> None:
        of_its_run = self.pods.get(pod.test_run, {})
        of_its_run.pop(pod.uid, None)
        if not of_its_run:
            self.pods.pop(pod.test_run, None)
        self.gone.discard(pod.uid)

    def forget_all_but(self, names: Collection[str]) -> None:
        self.pods = {name: pods for name, pods in self.pods.items() if name in names}
        self.gone &= {uid for pods in self.pods.values() for uid in pods}

    def added_to(
        self, listed: Listed, names: Collection[str], is_missed: Callable[[TestRunSeen], bool]
    ) -> Listed:
        """Add to a list what it lacks: TestRuns that are missed, and ended pods of these names."""
        names_there = {run.name for run in listed.runs}
        there = {pod.uid for pod in listed.pods}
        shown = [ending_kept(self.now(pod), pod) for pod in listed.pods]
        ended = [pod for name in names for pod in self.of(name) if has_ended(pod)]
        missed = [
            run for run in self.runs.values() if run.name not in names_there and is_missed(run)
        ]
        runs = [*listed.runs, *missed]
        self._shown = {run.uid for run in runs}
        pods = [*shown, *(pod for pod in ended if pod.uid not in there)]
        return replace(listed, runs=runs, pods=pods)

    def part_with_runs(self, names: Collection[str]) -> None:
        """Forget TestRuns that a cycle has had, but those of these names."""
        before, self.offered = self.offered, set(self._shown)
        self.runs = {
            name: run
            for name, run in self.runs.items()
            if name in names or run.uid not in before | self.offered
        }
        self.offered |= before & {run.uid for run in self.runs.values()}

    def now(self, pod: PodSeen) -> PodSeen:
        """Give a pod as it was last seen."""
        return self.pods.get(pod.test_run, {}).get(pod.uid, pod)


def has_ended(pod: PodSeen) -> bool:
    main = pod.main
    is_over = main is not None and main.state is ContainerState.TERMINATED
    return is_over or pod.phase in OVER


def ending_kept(before: PodSeen, now: PodSeen) -> PodSeen:
    """Leave out a deletion that came after the end; moments are too coarse to tell."""
    if not has_ended(before):
        return now
    return replace(now, deleting_at=before.deleting_at) if has_ended(now) else before


def signs(step: Step, pods: Sequence[PodSeen], gone: Collection[str]) -> Iterator[Sign]:
    """Tell what the pods of a step's name say that the step does not know."""
    if pods and step.uid is None:
        yield Sign.BORN
    runners = [pod for pod in pods if pod.role is Role.RUNNER]
    ended = sum(has_ended(pod) for pod in runners)
    if runners and ended >= (step.expected or len(runners)):
        yield Sign.ENDED
    if any(pod.uid in gone or pod.deleting_at is not None for pod in pods):
        yield Sign.LEAVING
