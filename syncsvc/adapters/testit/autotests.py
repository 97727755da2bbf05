"""Autotests of Test IT: each test of a pushed result must be one, described as the result says.

What a process has seen it remembers, so that tests that are known and unchanged cost no request.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import httpx

from syncsvc.adapters.testit.calls import Ask, TestItCalls, read
from syncsvc.adapters.testit.definitions import created, digest, updated
from syncsvc.adapters.testit.memory import Memory
from syncsvc.errors import Conflict, Rejected, Uncertain
from syncsvc.results.pushed.model import Result
from syncsvc.runs.model import Destination

MOST_KNOWN = 100_000
AT_ONCE = 100  # autotests of one request
ROUNDS = 5  # more than others can take to create the same tests beside us

Item = dict[str, Any]


class Project(NamedTuple):
    """A project of a server."""

    destination: Destination
    id: str


class Seen(NamedTuple):
    """What is remembered of an autotest; without a digest its description is not known."""

    global_id: int
    digest: bytes | None = None


class Key(NamedTuple):
    base_url: str
    project_id: str
    external_id: str


@dataclass
class Autotests:
    """Searches, creates and updates autotests in bulk."""

    calls: TestItCalls
    memory: Memory[Key, Seen] = field(default_factory=lambda: Memory(MOST_KNOWN))

    async def ensure(self, project: Project, results: Sequence[Result]) -> None:
        """See that each result's test exists as described.

        Raises Rejected when Test IT refuses a description.
        """
        wanted = {r.external_id: r for r in results if not self._is_as_described(project, r)}
        for some in _chunks(list(wanted)):
            await self._ensure(project, {each: wanted[each] for each in some})

    async def global_ids(self, project: Project, results: Sequence[Result]) -> Mapping[str, int]:
        """Give the numbers of those tests that exist, by external id."""
        wanted = {result.external_id: result for result in results}
        found: dict[str, int] = {}
        for each in wanted:
            seen = self.memory.get(_key(project, each))
            if seen is not None:
                found[each] = seen.global_id
        for some in _chunks([each for each in wanted if each not in found]):
            for each, item in (await self._search(project, some)).items():
                found[each] = item["globalId"]
                as_described = updated(item, wanted[each], project.id) is None
                known = digest(wanted[each]) if as_described else None
                self.memory.keep(_key(project, each), Seen(found[each], known))
        return found

    def forget(self, project: Project, results: Iterable[Result]) -> None:
        """Search for these again: Test IT does not know one of them."""
        for result in results:
            self.memory.forget(_key(project, result.external_id))

    def _is_as_described(self, project: Project, result: Result) -> bool:
        seen = self.memory.get(_key(project, result.external_id))
        return seen is not None and seen.digest == digest(result)

    async def _ensure(self, project: Project, wanted: Mapping[str, Result]) -> None:
        missing = wanted
        for _ in range(ROUNDS):
            found = await self._search(project, missing)
            await self._update(project, found, missing)
            missing = {each: result for each, result in missing.items() if each not in found}
            if not missing or await self._create(project, list(missing.values())):
                return
        raise Rejected(
            "Test IT refuses to create autotests that it does not show, as if they existed; "
            f"perhaps they were deleted: {', '.join(missing)[:200]}"
        )

    async def _search(self, project: Project, external_ids: Collection[str]) -> dict[str, Item]:
        """Find autotests; an external id is there once in a project, so one page is enough."""
        wanted = {
            "filter": {
                "projectIds": [project.id],
                "externalIds": list(external_ids),
                "isDeleted": False,
            },
            "includes": {"includeSteps": True, "includeLinks": True, "includeLabels": True},
        }
        ask = Ask("POST", f"/autoTests/search?Skip=0&Take={AT_ONCE}", json=wanted)
        return _by_external_id(await self._ask(project, ask))

    async def _update(
        self, project: Project, found: Mapping[str, Item], wanted: Mapping[str, Result]
    ) -> None:
        changed = [updated(item, wanted[each], project.id) for each, item in found.items()]
        bodies = [body for body in changed if body is not None]
        if bodies:
            await self.calls.call(project.destination, Ask("PUT", "/autoTests/bulk", json=bodies))
        self._keep(project, found, wanted)

    async def _create(self, project: Project, results: Sequence[Result]) -> bool:
        """Create autotests; False when somebody else has created one of them.

        If they exist after a creation whose answer was lost, it was that one: all are created, or
        none. Should it have been somebody else, the post that follows finds out.
        """
        wanted = {result.external_id: result for result in results}
        bodies = [created(result, project.id) for result in results]
        ask = Ask("POST", "/autoTests/bulk", json=bodies, once=True)
        try:
            self._keep(project, _by_external_id(await self._ask(project, ask)), wanted)
        except Conflict:
            return False
        except Uncertain:
            with suppress(Conflict):
                again = await self._ask(project, replace(ask, once=False))
                self._keep(project, _by_external_id(again), wanted)
        return True

    async def _ask(self, project: Project, ask: Ask) -> httpx.Response:
        return await self.calls.call(project.destination, ask)

    def _keep(
        self, project: Project, found: Mapping[str, Item], wanted: Mapping[str, Result]
    ) -> None:
        for each, item in found.items():
            if each in wanted:
                self.memory.keep(_key(project, each), Seen(item["globalId"], digest(wanted[each])))


def _by_external_id(answer: httpx.Response) -> dict[str, Item]:
    return read(answer, lambda body: {_checked(item)["externalId"]: item for item in body})


def _checked(item: Item) -> Item:
    if not isinstance(item["globalId"], int) or not isinstance(item["externalId"], str):
        raise TypeError("expected an autotest with globalId and externalId")
    return item


def _chunks(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE))


def _key(project: Project, external_id: str) -> Key:
    return Key(project.destination.base_url, project.id, external_id)
