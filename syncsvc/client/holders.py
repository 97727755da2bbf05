"""Who of one worker holds what, so that two blocks of one process keep each other out as well."""

from itertools import count


class Holders:
    """Gives each block the worker's name, or one made of it while that one is in use.

    A name whose lease was lost is not used again, for the server may still know it as a holder.
    """

    def __init__(self) -> None:
        self._taken: set[tuple[str, str]] = set()

    def take(self, thing: str, worker: str) -> str:
        names = (worker if n == 1 else f"{worker}+{n}" for n in count(1))
        free = next(name for name in names if (thing, name) not in self._taken)
        self._taken.add((thing, free))
        return free

    def give_back(self, thing: str, holder: str) -> None:
        self._taken.discard((thing, holder))
