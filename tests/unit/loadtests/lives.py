"""Lives of TestRuns as an operator leads them, one frame for each thing that happens."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncsvc.loadtests.model import Reason, Step
from syncsvc.loadtests.seen import (
    ContainerKind,
    ContainerSeen,
    ContainerState,
    JobSeen,
    PodSeen,
    Role,
    Stage,
    TestRunSeen,
)
from syncsvc.loadtests.sight import Sight
from tests.support.builders import NOON, SECOND

SPACE, NAME = "load", "checkout"


def a_step(**known) -> Step:
    fields = {
        "id": "s1",
        "test_id": "t1",
        "name": "checkout",
        "order": 1,
        "cluster": "main",
        "namespace": SPACE,
        "test_run": NAME,
        "registered_at": NOON,
        "phase_since": NOON,
    }
    return Step(**(fields | known))


def a_run(stage: Stage | None = Stage.STARTED, **known) -> TestRunSeen:
    fields = {"namespace": SPACE, "name": NAME, "uid": "u1", "created_at": NOON, "stage": stage}
    return TestRunSeen(**(fields | known))


def a_container(exit_code: int | None = None, **known) -> ContainerSeen:
    """One that runs, unless it has an exit code."""
    has_ended = exit_code is not None
    fields = {
        "name": "k6",
        "kind": ContainerKind.MAIN,
        "state": ContainerState.TERMINATED if has_ended else ContainerState.RUNNING,
        "exit_code": exit_code,
        "reason": ("Error" if exit_code else "Completed") if has_ended else None,
    }
    return ContainerSeen(**(fields | known))


def a_pod(index: int | None = 1, *containers: ContainerSeen, **known) -> PodSeen:
    fields = {
        "namespace": SPACE,
        "name": f"{NAME}-{index}-x",
        "uid": f"p{index}",
        "test_run": NAME,
        "role": Role.RUNNER,
        "index": index,
        "phase": "Running",
        "created_at": NOON,
        "containers": containers or (a_container(),),
    }
    return PodSeen(**(fields | known))


def ended(index: int, exit_code: int, **known) -> PodSeen:
    return a_pod(
        index, a_container(exit_code, **known), phase="Failed" if exit_code else "Succeeded"
    )


def a_job(index: int, **counts) -> JobSeen:
    known = {"created_at": NOON} | counts
    return JobSeen(SPACE, f"{NAME}-{index}", NAME, Role.RUNNER, index, **known)


@dataclass(frozen=True)
class End:
    """How a runner ends, and why that is not a success."""

    exit_code: int | None
    why: Reason | None
    container: str = "Error"
    pod: str | None = None


ENDS = (
    End(0, None, "Completed"),
    End(99, Reason.THRESHOLDS),
    End(103, Reason.ABORTED_BY_API),
    End(105, Reason.SIGNAL),
    End(105, Reason.EVICTED, pod="Evicted"),
    End(107, Reason.SCRIPT),
    End(108, Reason.ABORTED_BY_SCRIPT),
    End(110, Reason.MARKED_FAILED),
    End(137, Reason.OOM, "OOMKilled"),
    End(137, Reason.INFRA),
    End(None, Reason.EVICTED, pod="Evicted"),
)
LOST = End(None, Reason.RUNNER_LOST)


@dataclass(frozen=True)
class Frame:
    """All that is there between two moments."""

    at: datetime
    run: TestRunSeen | None
    pods: Sequence[PodSeen]
    jobs: Sequence[JobSeen]


@dataclass
class Life:
    """A TestRun that is led through its stages; every change is a frame."""

    parallelism: int = 2
    cleans_up: bool = False
    at: datetime = NOON
    run: TestRunSeen | None = None
    pods: dict[str, PodSeen] = field(default_factory=dict)
    jobs: dict[int, JobSeen] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    fates: dict[int, Reason | None] = field(default_factory=dict)

    def note(self) -> None:
        pods, jobs = tuple(self.pods.values()), tuple(self.jobs.values())
        self.frames.append(Frame(self.at, self.run, pods, jobs))
        self.at += SECOND

    def born(self, uid: str = "u1") -> None:
        self.run = a_run(
            None,
            uid=uid,
            created_at=self.at,
            parallelism=self.parallelism,
            cleans_up=self.cleans_up,
        )
        self.note()

    def stage(self, stage: Stage, **known) -> None:
        self.run = replace(self.run, stage=stage, **known)
        self.note()

    def initialized(self, exit_code: int = 0) -> None:
        self.stage(Stage.INITIALIZATION)
        pod = a_pod(None, role=Role.INITIALIZER, name="init", created_at=self.at)
        self.pods["init"] = pod
        self.note()
        self.pods["init"] = replace(pod, containers=(a_container(exit_code),))
        self.note()
        self.stage(Stage.ERROR if exit_code else Stage.INITIALIZED)

    def started(self) -> None:
        for index in range(1, self.parallelism + 1):
            self.jobs[index] = a_job(index, active=1, created_at=self.at)
            waiting = a_container(state=ContainerState.WAITING)
            self.pods[f"{index}"] = a_pod(index, waiting, created_at=self.at, phase="Pending")
            self.note()
        self.stage(Stage.CREATED)
        for index in range(1, self.parallelism + 1):
            running = a_container(started_at=self.at)
            self.pods[f"{index}"] = replace(
                self.pods[f"{index}"], containers=(running,), phase="Running"
            )
            self.note()
        self.stage(Stage.STARTED, load_began_at=self.at)

    def ends(self, index: int, end: End) -> None:
        """One runner ends: its pod tells, then its job; or its pod is deleted under it."""
        self.fates[index] = end.why
        if end is LOST:
            self.loses(index)
            return
        pod = self.pods[f"{index}"]
        container = pod.containers[0]
        if end.exit_code is not None:
            container = replace(
                container,
                state=ContainerState.TERMINATED,
                exit_code=end.exit_code,
                reason=end.container,
                finished_at=self.at,
            )
        phase = "Succeeded" if end.exit_code == 0 else "Failed"
        self.pods[f"{index}"] = replace(pod, containers=(container,), phase=phase, reason=end.pod)
        self.note()
        self.settles(index)

    def settles(self, index: int) -> None:
        good = self.fates[index] is None
        job = self.jobs[index]
        self.jobs[index] = replace(job, active=0, succeeded=int(good), failed=int(not good))
        self.note()

    def loses(self, index: int) -> None:
        pod = self.pods[f"{index}"]
        self.pods[f"{index}"] = replace(pod, deleting_at=self.at)
        self.note()
        self.settles(index)
        self.pods.pop(f"{index}")
        self.note()

    def finished(self) -> None:
        self.stage(Stage.STOPPED, load_ended_at=self.at)
        self.stage(Stage.FINISHED)

    def deleted(self) -> None:
        """The TestRun goes, then its jobs, then its pods, killed if they still run."""
        self.run = None
        self.note()
        self.jobs.clear()
        asked = self.at
        self.pods = {key: replace(pod, deleting_at=asked) for key, pod in self.pods.items()}
        self.note()
        for key, pod in list(self.pods.items()):
            if pod.containers[0].state is ContainerState.RUNNING and pod.phase == "Running":
                killed = replace(
                    pod.containers[0],
                    state=ContainerState.TERMINATED,
                    exit_code=105 if key == "1" else 137,
                    reason="Error",
                    finished_at=self.at + timedelta(seconds=2),
                )
                self.pods[key] = replace(pod, containers=(killed,), phase="Failed")
                self.note()
        for key in list(self.pods):
            self.pods.pop(key)
            self.note()

    def robbed_of(self, index: int) -> None:
        """Somebody deletes the pod of a runner that has ended."""
        self.pods.pop(f"{index}", None)
        self.note()


def sight(*frames: Frame) -> Sight:
    """See the TestRun, the pods and the jobs, each a little later than the one before."""
    run, pods, jobs = (*frames, *[frames[-1]] * 3)[:3]
    return Sight(run.run, pods.pods, jobs.jobs)
