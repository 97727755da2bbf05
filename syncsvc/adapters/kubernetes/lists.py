"""Lists, page by page. What is given is whole: a page that cannot be read spoils the list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from syncsvc.adapters.kubernetes import shapes
from syncsvc.adapters.kubernetes.asking import JOBS, PODS, TEST_RUNS, Ask, Resource, listing
from syncsvc.adapters.kubernetes.calls import KubernetesCalls, Spent
from syncsvc.adapters.kubernetes.failures import Gone
from syncsvc.errors import Unavailable

Item = TypeVar("Item")
Read = TypeVar("Read")

AT_ONCE = 500  # objects in a page
MOST_PAGES = 400
ROUNDS = 2  # a list may expire between two of its pages


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """How objects of a type are listed."""

    resource: Resource
    decoder: msgspec.json.Decoder[shapes.Page[Item]]

    async def all(
        self, calls: KubernetesCalls, namespace: str, selector: str | None, spent: Spent
    ) -> list[Item]:
        """Give them all; from the start again, once, when the list expires meanwhile."""
        ask = listing(self.resource, namespace, selector)
        for _ in range(ROUNDS):
            try:
                return await self._pages(calls, ask, spent)
            except Gone as error:
                expired = error
        raise Unavailable(f"{expired}, {ROUNDS} times") from expired

    async def _pages(self, calls: KubernetesCalls, ask: Ask, spent: Spent) -> list[Item]:
        first = ask.with_params(("limit", AT_ONCE))
        items: list[Item] = []
        following = ""
        for _ in range(MOST_PAGES):
            asked = first.with_params(("continue", following)) if following else first
            page = await self._page(calls, asked, spent)
            items.extend(page.items or ())
            following = page.metadata.next
            if not following:
                return items
        raise Unavailable(f"{calls.place} answered {ask} with more than {MOST_PAGES} pages")

    async def _page(self, calls: KubernetesCalls, ask: Ask, spent: Spent) -> shapes.Page[Item]:
        page = read(self.decoder, (await calls.get(ask, spent)).body, calls, ask)
        expected = f"{self.resource.kind}List"
        if page.kind != expected:
            raise Unavailable(
                f"{calls.place} answered {ask} oddly: "
                f"kind: expected {expected}, found {page.kind[:40]!r}"
            )
        return page


def read(
    decoder: msgspec.json.Decoder[Read], body: bytes | msgspec.Raw, calls: KubernetesCalls, ask: Ask
) -> Read:
    """Read what was answered. Raises Unavailable: something between may have spoiled it."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unavailable(
            f"{calls.place} answered {ask} with what cannot be read: {error}"
        ) from error


TEST_RUN_LISTING = Listing(TEST_RUNS, msgspec.json.Decoder(shapes.Page[shapes.TestRun]))
POD_LISTING = Listing(PODS, msgspec.json.Decoder(shapes.Page[shapes.Pod]))
JOB_LISTING = Listing(JOBS, msgspec.json.Decoder(shapes.Page[shapes.Job]))
