"""The logs of one place that are listened to: which, and how much of them is remembered."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from syncsvc.loadtests.choosing import SETTLED, is_wanted
from syncsvc.loadtests.clusters import Cluster
from syncsvc.loadtests.hearing import Heard, Room
from syncsvc.loadtests.listening import Fate, Listening, LogName
from syncsvc.loadtests.ports import KeptLog
from syncsvc.loadtests.recalling import Recalled
from syncsvc.loadtests.seen import ContainerState, PodSeen, Role
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

UNREAD = 1_000_000  # bytes of a log that no cycle has kept: time for one

LogKey = tuple[str, str]  # pod and container


@dataclass(frozen=True, slots=True)
class AttendanceTerms:
    """How a place is attended to. `beside`: as logs of init containers and sidecars are chosen.

    `patience` is how long the end of a log is waited for when its pod is gone.
    """

    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    beside: Sequence[str] = ()
    patience: timedelta = timedelta(seconds=5)


@dataclass
class Listeners:
    """Those of one place. They set `news` when much is unread."""

    cluster: Cluster
    namespace: str
    terms: AttendanceTerms
    room: Room
    recalled: Recalled
    news: asyncio.Event
    _settled: set[LogKey] = field(default_factory=set, init=False)
    _much: set[LogKey] = field(default_factory=set, init=False)
    _logs: dict[LogKey, Listening] = field(default_factory=dict, init=False)
    _tasks: dict[LogKey, asyncio.Task[None]] = field(default_factory=dict, init=False)
    _was_full: bool = field(default=False, init=False)

    def of(self, pod: str, container: str) -> Listening | None:
        return self._logs.get((pod, container))

    def keys(self, pod: PodSeen) -> Iterator[LogKey]:
        """Name the logs of a pod that may be lost."""
        for each in pod.containers:
            key = (pod.name, each.name)
            if each.has_logs and key not in self._settled and is_wanted(each, self.terms.beside):
                yield key

    def learn(self, kept: Mapping[LogKey, KeptLog]) -> None:
        """Take in how much cycles have kept of each log."""
        self._settled = {key for key, each in kept.items() if each.state in SETTLED}
        for key in self._logs.keys() & kept.keys():
            self._logs[key].heard.forget(kept[key].cursor)
        self._much = {key for key in self._logs if self._logs[key].heard.fresh >= UNREAD}

    def keep_only(self, pods: Iterable[PodSeen]) -> None:
        """End what is not about one of these pods, or is kept by now."""
        wanted = {key for pod in pods for key in self.keys(pod)}
        self._end(self._logs.keys() - wanted)

    def listen_to(self, pod: PodSeen) -> None:
        """Listen to what has logs now; what is listened to may have come on."""
        for key in self.keys(pod):
            if key in self._logs:
                self._logs[key].stir()
            elif pod.role is not Role.OTHER and pod.uid not in self.recalled.gone:
                self._begin(key, pod)

    async def rest(self) -> None:
        tasks = list(self._tasks.values())
        self._end(set(self._logs))
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, key: LogKey, pod: PodSeen) -> None:
        was_full, self._was_full = self._was_full, self.room.is_full
        if self.room.is_full:
            if not was_full:
                log.warning("no more logs can be followed", most=self.room.logs)
            return
        listening = Listening(
            self.cluster,
            LogName(self.namespace, *key),
            Heard(self.room),
            lambda: self._fate(pod, key[1]),
            lambda: self._taken(key),
            self.terms.pause,
            self.terms.patience,
        )
        self._logs[key] = listening
        self._tasks[key] = asyncio.create_task(listening.listen())

    def _end(self, keys: Collection[LogKey]) -> None:
        for key in keys:
            self._tasks.pop(key).cancel()
            self._logs.pop(key).heard.close()

    def _fate(self, pod: PodSeen, container: str) -> Fate:
        now = self.recalled.now(pod)
        states = [each.state for each in now.containers if each.name == container]
        return Fate(ContainerState.TERMINATED in states, is_gone=pod.uid in self.recalled.gone)

    def _taken(self, key: LogKey) -> None:
        """See whether much is unread by now."""
        if key not in self._much and self._logs[key].heard.fresh >= UNREAD:
            self._much.add(key)
            self.news.set()
