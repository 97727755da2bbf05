"""Whichever moments of a run are seen, its step ends right, or says what was never seen."""

from dataclasses import dataclass
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsvc.loadtests.exits import hardest, result_of
from syncsvc.loadtests.model import Phase, Reason, Result, Step
from syncsvc.loadtests.seen import ContainerState, Stage
from syncsvc.loadtests.sight import NOTHING, Sight
from syncsvc.loadtests.verdict import advance, trouble
from tests.support.builders import NOON
from tests.unit.loadtests.lives import ENDS, LOST, End, Life, a_step, sight

OK, CROSSED = ENDS[0], ENDS[1]


@dataclass(frozen=True)
class Plot:
    """What happens to a run: the ends of its runners, and who deletes what and when."""

    ends: tuple[End, ...] = (OK, OK)
    cleans_up: bool = False
    deleted_after: int | None = None  # so many runners have ended; more than all: after its end
    robbed: bool = False
    reborn: bool = False

    @property
    def is_cut(self) -> bool:
        return self.deleted_after is not None and self.deleted_after < len(self.ends)

    @property
    def vanishes(self) -> bool:
        return self.cleans_up or self.deleted_after is not None


def lived(plot: Plot) -> Life:
    life = Life(parallelism=len(plot.ends), cleans_up=plot.cleans_up)
    life.born()
    life.initialized()
    life.started()
    for count, end in enumerate(plot.ends[: plot.deleted_after], start=1):
        life.ends(count, end)
    if not plot.is_cut:
        life.finished()
    if plot.robbed and not plot.is_cut:
        life.robbed_of(1)
    if plot.vanishes:
        life.deleted()
    if plot.reborn and plot.vanishes:
        again(life)
    return life


def again(life: Life) -> None:
    """Another run of the same name, which crosses its thresholds."""
    truth = dict(life.fates)
    life.born("u2")
    life.initialized()
    life.started()
    for index in range(1, life.parallelism + 1):
        life.ends(index, CROSSED)
    life.fates = truth


def watched(step: Step, sights: list[Sight | None]) -> Step:
    """Look at each in turn, and at the last for as long as it takes; None: the look fails."""
    for at, each in enumerate([*sights, *[sights[-1]] * 3]):
        now = NOON.replace(year=2027, second=at % 60, minute=at // 60)
        before = step
        step = trouble(step, "503", now) if each is None else advance(step, each, now)
        assert step == before or not before.is_over
    return step


def told_of(sights: list[Sight | None]) -> set[int]:
    """Give the runners of the first run whose end was shown."""
    shown: set[int] = set()
    for each in filter(None, sights):
        if each.run is not None and each.run.uid != "u1":
            break
        pods = [pod for pod in each.pods if pod.index is not None]
        shown |= {pod.index for pod in pods if _has_ended(pod)}
    return shown


def _has_ended(pod) -> bool:
    return pod.containers[0].state is ContainerState.TERMINATED or pod.reason == "Evicted"


def saw(sights: list[Sight | None], *stages: Stage) -> bool:
    runs = [each.run for each in sights if each is not None and each.run is not None]
    return any(run.stage in stages and run.uid == "u1" for run in runs)


def check(plot: Plot, life: Life, sights: list[Sight | None], step: Step) -> None:
    if not any(each is not None and each.run is not None for each in sights):
        assert step.phase is Phase.PENDING
        return
    if step.uid == "u2":
        return  # the first was never seen
    assert step.is_over
    known = told_of(sights) & life.fates.keys()  # the others were killed by a deletion
    if step.result is Result.UNKNOWN:
        assert step.detail
        assert plot.vanishes
        assert not known >= set(range(1, len(plot.ends) + 1))
    elif step.reason is Reason.DELETED:
        check_deletion(plot, sights, known)
    else:
        check_verdict(plot, life, step, known)


def check_deletion(plot: Plot, sights: list[Sight | None], known: set[int]) -> None:
    """It was deleted; and if that was after its end, that end was never shown."""
    assert plot.deleted_after is not None
    if not plot.is_cut:
        assert not saw(sights, Stage.STOPPED, Stage.FINISHED)
        assert not known >= set(range(1, len(plot.ends) + 1))


def check_verdict(plot: Plot, life: Life, step: Step, known: set[int]) -> None:
    """What is said of it is true of its runners, and it is the worst of what was shown."""
    truth = hardest(life.fates.values())
    lost = {index for index, why in life.fates.items() if why is not None and index not in known}
    may_be = {*life.fates.values(), *([Reason.RUNNER_LOST] if lost else [])}
    assert step.reason in may_be
    if plot.is_cut:
        assert step.result is Result.FAILED
    elif not lost:
        assert (step.result, step.reason) == (result_of(truth), truth)
    else:
        assert step.result is Result.FAILED


ends = st.one_of(st.sampled_from(ENDS), st.just(OK), st.just(LOST))
plots = st.builds(
    Plot,
    ends=st.lists(ends, min_size=1, max_size=3).map(tuple),
    cleans_up=st.booleans(),
    deleted_after=st.one_of(st.none(), st.integers(0, 4)),
    robbed=st.booleans(),
    reborn=st.booleans(),
)


@settings(max_examples=400, deadline=None)
@given(plots, st.data())
def test_any_moments_of_any_run_give_the_truth_or_say_what_was_not_seen(plot, data):
    """Looks fail in between, or find an empty list for once."""
    life = lived(plot)
    last = len(life.frames) - 1
    moments = sorted(data.draw(st.sets(st.integers(0, last), max_size=12)) | {last})
    skew = st.integers(0, 2)
    sights: list[Sight | None] = []
    for moment in moments:
        pods = min(moment + data.draw(skew), last)
        jobs = min(pods + data.draw(skew), last)
        sights += data.draw(st.sampled_from([[], [], [None], [NOTHING]]))
        sights.append(sight(life.frames[moment], life.frames[pods], life.frames[jobs]))

    step = watched(a_step(), sights)

    check(plot, life, sights, step)


@pytest.mark.parametrize(
    "plot",
    [
        Plot(),
        Plot((OK, CROSSED, OK, OK)),
        Plot((LOST, OK)),
        Plot(cleans_up=True),
        Plot((CROSSED, OK), cleans_up=True),
        Plot(deleted_after=0),
        Plot((CROSSED, OK), deleted_after=1),
        Plot(deleted_after=2),
        Plot((OK,), deleted_after=1, reborn=True),
        Plot((ENDS[2], OK)),
        Plot((ENDS[8], CROSSED)),
    ],
    ids=str,
)
def test_every_pair_of_moments_gives_the_truth_or_says_what_was_not_seen(plot):
    life = lived(plot)

    for one, other in combinations(life.frames, 2):
        sights = [sight(one), sight(other), sight(life.frames[-1])]

        check(plot, life, sights, watched(a_step(), sights))
