"""What is said of a step that does not get on."""

from datetime import timedelta

from syncsvc.loadtests.model import Phase
from syncsvc.loadtests.seen import ContainerKind, ContainerState, Stage
from syncsvc.loadtests.sight import Sight
from syncsvc.loadtests.stalling import Limits, judged
from syncsvc.loadtests.verdict import advance
from tests.support.builders import MINUTE, NOON
from tests.unit.loadtests.lives import a_container, a_pod, a_run, a_step

LIMITS = Limits(pending=MINUTE, starting=2 * MINUTE, running=timedelta(hours=1))
LATE = NOON + 3 * MINUTE


def looked(*pods, stage: Stage | None = Stage.CREATED, parallelism: int = 2, at=LATE):
    sight = Sight(a_run(stage, parallelism=parallelism), pods)
    step = advance(a_step(), sight, NOON)
    return judged(step, sight, at, LIMITS)


def waiting(reason: str | None, message: str | None = None):
    return a_container(state=ContainerState.WAITING, reason=reason, message=message)


def test_nothing_is_said_before_the_limit():
    assert looked(at=NOON + 2 * MINUTE).stalled is None


def test_an_image_that_cannot_be_pulled_is_named_once_for_all_its_pods():
    pull = waiting("ImagePullBackOff", "no such image")

    stalled = looked(a_pod(1, pull), a_pod(2, pull)).stalled

    assert stalled == (
        "STARTING for 3 min: checkout-1-x and 1 more: ImagePullBackOff in k6 (no such image)"
    )


def test_a_pod_that_no_node_takes_says_why():
    stalled = looked(a_pod(1, waiting(None), unschedulable="0/3 nodes: no memory")).stalled

    assert stalled is not None
    assert "Unschedulable (0/3 nodes: no memory)" in stalled


def test_a_container_that_is_being_made_is_no_reason():
    stalled = looked(a_pod(1, waiting("ContainerCreating")), parallelism=2).stalled

    assert stalled == "STARTING for 3 min: 1 of 2 runners are there"


def test_a_parallelism_below_one_is_refused_by_the_operator():
    stalled = looked(stage=None, parallelism=0).stalled

    assert stalled is not None
    assert "refuses a parallelism of 0" in stalled


def test_a_run_without_a_stage_asks_for_the_operator():
    stalled = looked(stage=None).stalled

    assert stalled is not None
    assert "the operator has not looked at it" in stalled


def test_a_run_that_was_never_there_is_missed_by_name():
    step = judged(a_step(), Sight(), LATE, LIMITS)

    assert step.stalled == "PENDING for 3 min: there is no TestRun checkout in namespace load"


def test_a_sidecar_that_outlives_k6_is_named():
    proxy = a_container(name="istio-proxy", kind=ContainerKind.SIDECAR)
    pod = a_pod(1, a_container(0), proxy)

    stalled = looked(pod, stage=Stage.STARTED, at=NOON + timedelta(hours=2)).stalled

    assert stalled is not None
    assert "k6 has ended, and istio-proxy goes on" in stalled


def test_the_note_is_taken_away_when_it_gets_on():
    sight = Sight(a_run(Stage.STARTED))
    stalled = looked()

    step = judged(advance(stalled, sight, LATE), sight, LATE, LIMITS)

    assert stalled.stalled is not None
    assert (step.phase, step.stalled) == (Phase.RUNNING, None)


def test_a_runner_that_was_restarted_stays_paused():
    runners = (a_pod(1, a_container(restarts=1)), a_pod(2))

    stalled = looked(*runners).stalled

    assert stalled == "STARTING for 3 min: a runner was restarted, and stays paused for ever"


def test_where_no_pod_says_why_the_operators_stage_is_told():
    runners = (a_pod(1), a_pod(2))

    assert looked(*runners).stalled == (
        "STARTING for 3 min: the operator is at created, and no pod says why"
    )
    assert looked(stage=Stage.INITIALIZATION).stalled == (
        "PENDING for 3 min: the operator is at initialization: its log may say what it waits for"
    )
