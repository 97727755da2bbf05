"""The k6-operator: it takes every TestRun through its life, by the clock or step by step.

Nothing runs in the background. Whoever looks at the cluster first lets happen what is due by
then, each beat at its own moment.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec import structs

from syncsvc.sandbox.kubernetes.crew import Made
from syncsvc.sandbox.kubernetes.life import Life
from syncsvc.sandbox.kubernetes.logs import Logs
from syncsvc.sandbox.kubernetes.model import Json, Kind, Meta, TestRun
from syncsvc.sandbox.kubernetes.pods import Pods
from syncsvc.sandbox.kubernetes.scenario import Scenario
from syncsvc.sandbox.kubernetes.stages import Beat
from syncsvc.sandbox.kubernetes.store import Key, Store

Clock = Callable[[], datetime]
MOST_BEATS = 10_000  # of one step: a TestRun that is made again for ever has to stop somewhere


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(eq=False)
class Operator:
    clock: Clock = _now
    factor: float = 1.0  # of the recorded speed; 0: nothing happens by itself
    scenario: Scenario = field(default_factory=Scenario)
    store: Store = field(default_factory=Store)
    logs: Logs = field(default_factory=Logs)
    lives: dict[str, Life] = field(default_factory=dict)  # by the TestRun's uid
    _by_key: dict[Key, Life] = field(default_factory=dict)
    _due: list[tuple[datetime, int, Life]] = field(default_factory=list)
    _leaving: dict[Key, datetime] = field(default_factory=dict)  # pods -> when they are gone
    _number: int = 0

    def __post_init__(self) -> None:
        self.pods = Pods(self.store, self.logs)

    def create(
        self, key: Key, spec: Json, labels: dict[str, str], scenario: Scenario | None = None
    ) -> TestRun:
        """Make a TestRun; what an earlier one of this name has left behind goes at once."""
        now = self.clock()
        old = self._by_key.get(key)
        if old is not None:
            old.vanish(now)
        run = TestRun(Meta(*key, self.pods.uid(), now, labels), spec)
        self.store.put(Kind.TESTRUNS, run)
        life = Life(self.pods, run, scenario or self.scenario, last_at=now)
        self.lives[run.meta.uid] = life
        self._by_key[key] = life
        self._plan(life)
        return run

    def life(self, key: Key) -> Life | None:
        """Give the latest of that name, gone or not."""
        return self._by_key.get(key)

    def delete(self, key: Key) -> None:
        life = self._by_key.get(key)
        if life is not None:
            life.delete(self.clock())
            self._plan(life)

    def alter(self, life: Life, scenario: Scenario) -> None:
        life.scenario = scenario
        self._plan(life)

    def hasten(self, factor: float) -> None:
        """Change the speed, from the last beat of every TestRun on."""
        self.advance()
        self.factor = factor
        self._due.clear()
        for life in self.lives.values():
            self._plan(life)
        self.store.wake()

    def advance(self) -> None:
        """Let everything happen that is due."""
        now = self.clock()
        while self._due and self._due[0][0] <= now:
            at, _, life = heapq.heappop(self._due)
            if life.due == at:
                self._beat(life, at)
        if self._leaving and self.factor:
            self._let_go(now)

    def end_runner(self, life: Life, index: int, exit_: int | str) -> None:
        """End a runner before its time; the last of them lets the TestRun go on."""
        life.end_runner(index, exit_, self.clock())
        if life.is_loaded and len(life.ended) >= life.parallelism:
            life.last_at = self.clock()
            self._plan(life)

    def delete_pod(self, key: Key) -> None:
        """Delete a pod as somebody with kubectl does: its kubelet needs a moment."""
        now = self.clock()
        self.pods.begin_to_go(key, now)
        self._leaving[key] = now + timedelta(seconds=1 / (self.factor or 1))

    def seconds_to_next(self) -> float | None:
        """Say how long it is until something happens by itself."""
        moments = [self._due[0][0]] if self._due else []
        if self.factor:
            moments += self._leaving.values()
        if not moments:
            return None
        return max((min(moments) - self.clock()).total_seconds(), 0.0)

    def step(self, lives: Iterable[Life], until: str) -> None:
        """Let TestRuns go on: one beat, to the next stage, to a stage, or to the end."""
        self._let_go(None)
        for life in list(lives):
            self._go(life, until)

    def selected(self, namespace: str | None, name: str | None) -> Sequence[Life]:
        return [
            life
            for life in self.lives.values()
            if namespace in (None, life.key[0]) and name in (None, life.key[1])
        ]

    def maker_of(self, pod: Key) -> tuple[Life, Made] | None:
        """Find out which TestRun a pod was made for."""
        for life in self.lives.values():
            for made in life.crew.made:
                if made.key == pod:
                    return life, made
        return None

    def _go(self, life: Life, until: str) -> None:
        before = life.stage
        if until == life.stage:
            return
        for _ in range(MOST_BEATS):
            beat = self._beat(life, self.clock())
            if beat is None or until in ("beat", beat.stage):
                return
            if until == "stage" and life.stage != before:
                return

    def _let_go(self, now: datetime | None) -> None:
        for key, at in list(self._leaving.items()):
            if now is None or at <= now:
                del self._leaving[key]
                self.pods.remove(key, at if now else self.clock())

    def _beat(self, life: Life, at: datetime) -> Beat | None:
        beat = life.next_beat()
        if beat is None:
            life.due = None
            return None
        life.play(beat, at)
        if beat.name == "made again":
            self._make_again(life)
        self._plan(life)
        return beat

    def _make_again(self, life: Life) -> None:
        """Make a TestRun anew under its name; this one stays."""
        scenario = structs.replace(life.scenario, deleted_at=None, recreated=False)
        self.create(life.key, life.born.spec, dict(life.born.meta.labels), scenario)

    def _plan(self, life: Life) -> None:
        beat = life.next_beat()
        life.due = None
        if beat is None or not self.factor or life.last_at is None:
            return
        life.due = life.last_at + timedelta(seconds=beat.seconds / self.factor)
        self._number += 1
        heapq.heappush(self._due, (life.due, self._number, life))
