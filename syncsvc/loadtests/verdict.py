"""How a step gets on with each look at the cluster: it ends only when its end is proven.

What could not be looked at changes nothing, `stopped` is passed through, and a step that is over
never changes again.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from syncsvc.loadtests.judging import Verdict, of_error, of_finished, of_gone
from syncsvc.loadtests.model import Phase, Runner, Stale, Step
from syncsvc.loadtests.runners import with_jobs, with_pods
from syncsvc.loadtests.seen import ContainerState, JobSeen, Role, Stage, TestRunSeen
from syncsvc.loadtests.sight import Sight, newcomer, pods_of, runner_jobs, runner_pods

LOOKS = 2  # in a row, that did not find it, prove that it is gone

STAGES = list(Stage)
PHASES = list(Phase)
PHASE_OF = {
    None: Phase.PENDING,
    Stage.INITIALIZATION: Phase.PENDING,
    Stage.INITIALIZED: Phase.PENDING,
    Stage.CREATED: Phase.STARTING,
    Stage.STARTED: Phase.RUNNING,
    Stage.STOPPED: Phase.STOPPING,
    Stage.FINISHED: Phase.STOPPING,  # until its runners are judged
}
LOADED = (Stage.STARTED, Stage.STOPPED, Stage.FINISHED)


def advance(step: Step, sight: Sight, at: datetime) -> Step:
    """Take in what a look that succeeded has shown."""
    if step.is_over:
        return step
    step = replace(step, checked_at=at, stale=None)
    if sight.run is None or newcomer(step, sight) is not None:
        return _absent(step, sight, at)
    return _present(step, sight, sight.run, at)


def trouble(step: Step, error: str, at: datetime) -> Step:
    """Take in that a look failed: what was known stays, and is marked as stale."""
    if step.is_over:
        return step
    before = step.stale or Stale(at, 0, error)
    return replace(step, stale=Stale(before.since, before.errors + 1, error))


def _absent(step: Step, sight: Sight, at: datetime) -> Step:
    if step.uid is None:
        return step  # it may yet be made
    step = replace(_remembering(step, sight), absences=step.absences + 1)
    if step.absences < LOOKS and not sight.proven and sight.run is None:
        return step
    return _ended(step, of_gone(step), _last_end(step) or at, at)


def _present(step: Step, sight: Sight, run: TestRunSeen, at: datetime) -> Step:
    step = _begun(_remembering(_adopted(step, run), sight, run), run, at)
    ended_at = run.load_ended_at or _last_end(step) or at
    if step.last_stage is Stage.ERROR:
        return _ended(step, of_error(step), at, at)
    if step.last_stage is not Stage.FINISHED:
        return _moved(step, at)
    if step.waits < LOOKS - 1 and _still_runs(step):
        return _moved(replace(step, waits=step.waits + 1), at)
    if step.deleted_early:
        return _ended(step, of_gone(step), ended_at, at)
    verdict = of_finished(step, missing_is_lost=_missing_is_lost(step, sight, run))
    return _ended(step, verdict, ended_at, at)


def _adopted(step: Step, run: TestRunSeen) -> Step:
    """Take over what the TestRun says; its stage never goes back, nor can runners be added."""
    are_made = step.last_stage is not None and PHASE_OF.get(step.last_stage) is not Phase.PENDING
    stage = _furthest(step.last_stage, run.stage)
    return replace(
        step,
        uid=run.uid,
        run_created_at=run.created_at,
        expected=step.expected if are_made else run.parallelism,
        last_stage=stage,
        cleans_up=run.cleans_up,
        deleted_early=step.deleted_early or _is_deleted_early(run),
        absences=0,
        detail=f"a stage that we do not know: {run.odd_stage}" if run.odd_stage else None,
    )


def _furthest(one: Stage | None, other: Stage | None) -> Stage | None:
    return max(one, other, key=STAGES.index) if one and other else one or other


def _is_deleted_early(run: TestRunSeen) -> bool:
    """Whether its deletion came before its end; the operator may have called that an end since."""
    if run.deleting_at is None:
        return False
    if run.stage not in (Stage.STOPPED, Stage.FINISHED, Stage.ERROR):
        return True
    return run.load_ended_at is not None and run.load_ended_at > run.deleting_at


def _remembering(step: Step, sight: Sight, run: TestRunSeen | None = None) -> Step:
    """Keep how runners ended; `run` is the TestRun, if it is there and not another's."""
    pods = runner_pods(step, sight)
    runners = with_pods(step.runners, pods)
    jobs = _telling(runner_jobs(step, sight), run)
    runners = with_jobs(runners, jobs, {pod.index for pod in pods if pod.index is not None})
    return replace(step, runners=runners, initializer_exit=_initializer_exit(step, sight))


def _telling(jobs: Iterable[JobSeen], run: TestRunSeen | None) -> list[JobSeen]:
    """Leave out jobs that may not be believed.

    One that fails while the TestRun is being deleted has failed by that. One whose age is not
    known may be left from another run, until this one's end says that its own were made.
    """
    lives = run is not None and run.deleting_at is None
    is_finished = run is not None and run.stage is Stage.FINISHED
    return [
        job
        for job in jobs
        if (lives or job.succeeded) and (is_finished or job.created_at is not None)
    ]


def _initializer_exit(step: Step, sight: Sight) -> int | None:
    mains = [pod.main for pod in pods_of(step, sight) if pod.role is Role.INITIALIZER]
    codes = [main.exit_code for main in mains if main and main.state is ContainerState.TERMINATED]
    return max((code for code in codes if code is not None), default=step.initializer_exit)


def _begun(step: Step, run: TestRunSeen, at: datetime) -> Step:
    if step.started_at is not None or step.last_stage not in LOADED:
        return step
    return replace(step, started_at=run.load_began_at or _first_start(step) or at)


def _first_start(step: Step) -> datetime | None:
    return min((each.started_at for each in _runners(step) if each.started_at), default=None)


def _runners(step: Step) -> Iterable[Runner]:
    return step.runners.values()


def _still_runs(step: Step) -> bool:
    return any(not each.is_over and not each.was_deleted for each in _runners(step))


def _missing_is_lost(step: Step, sight: Sight, run: TestRunSeen) -> bool:
    """Whether a runner without a trace is lost: nobody cleans up, and others have left theirs."""
    others = [*runner_pods(step, sight), *runner_jobs(step, sight)]
    return bool(others) and not run.cleans_up and run.deleting_at is None


def _last_end(step: Step) -> datetime | None:
    """Say when the last runner ended; None unless all have."""
    ends = [each.ended_at for each in _runners(step) if each.ended_at]
    return max(ends) if ends and len(ends) >= (step.expected or 0) else None


def _moved(step: Step, at: datetime) -> Step:
    stage = step.last_stage
    phase = max(step.phase, PHASE_OF[stage], key=PHASES.index)
    if phase is step.phase:
        return step
    return replace(step, phase=phase, phase_since=at, stalled=None)


def _ended(step: Step, verdict: Verdict, ended_at: datetime, at: datetime) -> Step:
    ran = verdict.phase is Phase.FINISHED
    started_at = step.started_at or (_first_start(step) if ran else None)
    return replace(
        step,
        phase=verdict.phase,
        phase_since=at,
        result=verdict.result,
        reason=verdict.reason,
        detail=verdict.detail,
        started_at=started_at,
        completed_at=max(ended_at, started_at or ended_at),
        stalled=None,
    )
