"""The supervisor: starts children in stages, keeps them running, stops them in order."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import groupby
from signal import Signals

from syncsvc.embedded.child import Child
from syncsvc.embedded.console import Console
from syncsvc.embedded.keeper import LAST_LINES, Keeper, in_words
from syncsvc.embedded.life import Life
from syncsvc.errors import Unavailable

STOP_WITHIN = timedelta(seconds=8)  # of the ten that we promise; signals and exits take time too
READY_WITHIN = timedelta(seconds=60)
PATIENCE = timedelta(seconds=10)  # without news, before it is said who keeps us waiting


class Supervisor:
    """Owner of every process of one `syncsvc up`; call `stop` whatever happened."""

    def __init__(self, console: Console, *, patience: timedelta = PATIENCE) -> None:
        self._console = console
        self._patience_s = patience.total_seconds()
        self._keepers: list[Keeper] = []

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name, of those that run at this moment."""
        return {keeper.child.name: keeper.pid for keeper in self._keepers if keeper.pid}

    async def start(self, children: Iterable[Child], *, within: timedelta = READY_WITHIN) -> None:
        """Start children side by side and return when each of them serves.

        Raises Unavailable with the name and the last lines of one that does not.
        """
        keepers = [Keeper(child, self._console) for child in children]
        self._keepers += keepers
        with suppress(TimeoutError):  # whoever is missing is named below
            async with asyncio.timeout(within.total_seconds()):
                await self._until_started(keepers)
        _demand_all(keepers, within)

    async def _until_started(self, keepers: Sequence[Keeper]) -> None:
        """Wait until all have started, or one has given up."""
        waiting = {keeper.started for keeper in keepers}
        while waiting and not _gave_up(keepers):
            done, waiting = await asyncio.wait(
                waiting, timeout=self._patience_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                names = [keeper.child.name for keeper in keepers if not keeper.served]
                self._console.say(f"still waiting for {', '.join(names)}")

    async def run(self, child: Child, *, within: timedelta = READY_WITHIN) -> None:
        """Run a child once, to its end.

        Raises Unavailable with its last lines if it fails or takes too long.
        """
        heard: list[str] = []

        def hear(line: str) -> None:
            heard.append(line)
            self._console.line(child.name, line)

        life = await Life.begin(child, hear)
        try:
            async with asyncio.timeout(within.total_seconds()):
                ending = in_words(await life.end())
        except TimeoutError:
            ending = f"was not done within {within.total_seconds():g} s"
        if ending != in_words(0):
            last = "\n".join(f"  {line}" for line in heard[-LAST_LINES:])
            raise Unavailable(f"{child.name} {ending}. Its last lines:\n{last}")

    async def stop(self) -> None:
        """Stop all children in their order, within ten seconds whatever they do."""
        deadline = asyncio.get_running_loop().time() + STOP_WITHIN.total_seconds()
        for keeper in self._keepers:
            keeper.release()
        stages = _stages(self._keepers)
        for number, stage in enumerate(stages):
            until = deadline - sum(_grace(later) for later in stages[number + 1 :])
            await asyncio.gather(*(keeper.stop(until) for keeper in stage))

    def kill(self) -> None:
        """Stop all children now, whatever they are doing."""
        for keeper in self._keepers:
            keeper.release()
            keeper.signal(Signals.SIGKILL)


def _gave_up(keepers: Iterable[Keeper]) -> list[Keeper]:
    return [keeper for keeper in keepers if keeper.started.done() and not keeper.served]


def _demand_all(keepers: Sequence[Keeper], within: timedelta) -> None:
    missing = _gave_up(keepers) or [keeper for keeper in keepers if not keeper.served]
    if missing:
        raise missing[0].failure(within)


def _stages(keepers: Iterable[Keeper]) -> list[list[Keeper]]:
    def order(keeper: Keeper) -> int:
        return keeper.child.stop_order

    return [list(stage) for _, stage in groupby(sorted(keepers, key=order), key=order)]


def _grace(stage: Iterable[Keeper]) -> float:
    return max(keeper.child.grace for keeper in stage).total_seconds()
