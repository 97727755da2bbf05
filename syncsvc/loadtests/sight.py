"""What one look at a cluster shows of one step."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncsvc.loadtests.model import Step
from syncsvc.loadtests.seen import JobSeen, Listed, PodSeen, Role, TestRunSeen


@dataclass(frozen=True, slots=True)
class Sight:
    """The TestRun that bears a step's name, or its absence, with the pods and jobs of that name.

    `proven` says that the cluster itself told of the absence, when asked for that one name: a
    list without it is believed only the second time.
    """

    run: TestRunSeen | None = None
    pods: Sequence[PodSeen] = ()
    jobs: Sequence[JobSeen] = ()
    proven: bool = False


NOTHING = Sight()


def sights(listed: Listed) -> Mapping[str, Sight]:
    """Sort what a namespace shows by the TestRun's name; a name that is not there is absent.

    A list that was limited by a label selector does not prove that others are absent.
    """
    runs = {run.name: run for run in listed.runs}
    pods: defaultdict[str, list[PodSeen]] = defaultdict(list)
    for pod in listed.pods:
        pods[pod.test_run].append(pod)
    jobs: defaultdict[str, list[JobSeen]] = defaultdict(list)
    for job in listed.jobs:
        jobs[job.test_run].append(job)
    names = runs.keys() | pods.keys() | jobs.keys()
    return {name: Sight(runs.get(name), pods[name], jobs[name]) for name in names}


def newcomer(step: Step, sight: Sight) -> TestRunSeen | None:
    """Give the TestRun that bears the step's name and is another run, if there is one."""
    run = sight.run
    return run if run is not None and step.uid is not None and run.uid != step.uid else None


def pods_of(step: Step, sight: Sight) -> Sequence[PodSeen]:
    """Give the pods that are the step's own, and not those of another run of its name."""
    return [pod for pod in sight.pods if _is_of(pod.created_at, step, sight)]


def runner_pods(step: Step, sight: Sight) -> Sequence[PodSeen]:
    """Give the pods of the step's runners whose number is known."""
    return [pod for pod in pods_of(step, sight) if _is_runner(pod)]


def runner_jobs(step: Step, sight: Sight) -> Sequence[JobSeen]:
    """Give the jobs of the step's runners whose number is known."""
    jobs = [job for job in sight.jobs if _is_runner(job)]
    return [job for job in jobs if _is_of(job.created_at, step, sight)]


def _is_runner(each: PodSeen | JobSeen) -> bool:
    return each.role is Role.RUNNER and each.index is not None


def _is_of(made_at: datetime | None, step: Step, sight: Sight) -> bool:
    """Tell by the moment, which the cluster cuts to a second: what is in doubt is the newer's."""
    other = newcomer(step, sight)
    if made_at is None:
        return other is None
    if other is not None and made_at >= other.created_at:
        return False
    return step.run_created_at is None or made_at >= step.run_created_at
