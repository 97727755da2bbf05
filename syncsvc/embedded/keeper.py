"""A keeper keeps one child alive: it starts it, restarts it, and in the end stops it."""

import asyncio
from collections import deque
from datetime import timedelta
from signal import Signals

from syncsvc.embedded.child import Child
from syncsvc.embedded.console import Console
from syncsvc.embedded.life import Life
from syncsvc.errors import Unavailable

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=30)
GOOD_LIFE = timedelta(seconds=30)
STARTS = 3  # so many failed ones before a first success are enough to give up
LOOK_EVERY_S = 0.025
LAST_LINES = 12
SURELY_DEAD_S = 0.5  # after SIGKILL


def next_pause(last: timedelta, lived: timedelta) -> timedelta:
    """Give the pause before a restart: twice the last one, or the first after a good life."""
    if not last or lived >= GOOD_LIFE:
        return FIRST_PAUSE
    return min(last * 2, LONGEST_PAUSE)


class Keeper:
    """Starts its child when made; `started` tells once whether the child ever served."""

    def __init__(self, child: Child, console: Console) -> None:
        loop = asyncio.get_running_loop()
        self.child = child
        self.started: asyncio.Future[bool] = loop.create_future()
        self._console = console
        self._clock = loop.time
        self._stopping = asyncio.Event()
        self._life: Life | None = None
        self._heard: deque[str] = deque(maxlen=LAST_LINES)
        self._endings: list[str] = []
        self._task = asyncio.create_task(self._keep(), name=f"keep {child.name}")

    @property
    def pid(self) -> int | None:
        return self._life.pid if self._life else None

    @property
    def served(self) -> bool:
        return self.started.done() and self.started.result()

    def failure(self, within: timedelta) -> Unavailable:
        """Explain a start that failed, for the person who asked for it."""
        last = "\n".join(f"  {line}" for line in self._heard) or "  (it printed nothing)"
        return Unavailable(
            f"{self.child.name} was not ready{self._reason(within)}. "
            f"Its last lines:\n{last}\nCorrect what they name, then start again."
        )

    def _reason(self, within: timedelta) -> str:
        if self.started.done():
            return f": it {self._endings[-1]}, {len(self._endings)} times"
        found = self._endings[-1] if self._endings else "runs, but does not serve"
        return f" within {within.total_seconds():g} s: it {found}"

    def release(self) -> None:
        """From now on, let the child be gone when it is gone."""
        self._stopping.set()

    def signal(self, number: Signals) -> None:
        if self._life:
            self._life.signal(number)

    async def stop(self, until: float) -> None:
        """Stop the child: each of its stop signals in turn, the last one at `until`."""
        self.release()
        *gentle, last = self.child.stop_signals
        share = max(until - self._clock(), 0) / max(len(gentle), 1)
        for number in gentle:
            self.signal(number)
            if await self._gone_within(share):
                return
            self._console.say(
                f"{self.child.name} has not stopped {share:.1f} s after {number.name}"
            )
        self.signal(last)
        if not await self._gone_within(SURELY_DEAD_S):
            self._console.say(f"{self.child.name} (pid {self.pid}) survives {last.name}")

    async def _gone_within(self, seconds: float) -> bool:
        done, _ = await asyncio.wait({self._task}, timeout=seconds)
        return bool(done)

    async def _keep(self) -> None:
        pause = timedelta(0)
        while not self._stopping.is_set():
            born = self._clock()
            ending = await self._live()
            if self._stopping.is_set():
                break
            self._note(ending)
            pause = next_pause(pause, timedelta(seconds=self._clock() - born))
            self._console.say(
                f"{self.child.name} {ending} and is restarted in {pause.total_seconds():g} s"
            )
            await self._rest(pause)

    def _note(self, ending: str) -> None:
        self._endings = [*self._endings[-STARTS:], ending]
        if len(self._endings) >= STARTS and not self.started.done():
            self.started.set_result(False)

    async def _live(self) -> str:
        """Let the child live once, and say in words how it ended."""
        self.child.ready.reset()
        try:
            self._life = life = await Life.begin(self.child, self._hear)
        except OSError as error:
            return f"could not be started ({error})"
        if self._stopping.is_set():
            life.signal(Signals.SIGKILL)
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch())
                code = await life.end()
                watch.cancel()
        finally:
            self._life = None
        return in_words(code)

    async def _watch(self) -> None:
        born = self._clock()
        while not await self.child.ready.met():  # noqa: ASYNC110 - a file or a socket has no event
            await asyncio.sleep(LOOK_EVERY_S)
        if self.started.done():
            self._console.say(f"{self.child.name} is back after {self._clock() - born:.1f} s")
        else:
            self.started.set_result(True)

    async def _rest(self, pause: timedelta) -> None:
        try:
            async with asyncio.timeout(pause.total_seconds()):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _hear(self, line: str) -> None:
        self._heard.append(line)
        self._console.line(self.child.name, line)


def in_words(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
