"""Watches: changes of a namespace's load tests as they happen, from a list's version on.

A watch ends by itself now and then; whoever still wants to know goes on from the last version.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from syncsvc.adapters.kubernetes import pods, runs, shapes
from syncsvc.adapters.kubernetes.asking import PODS, TEST_RUNS, Ask, Resource, listing
from syncsvc.adapters.kubernetes.calls import KubernetesCalls
from syncsvc.adapters.kubernetes.failures import Status, of_error_event
from syncsvc.adapters.kubernetes.lines import Lines
from syncsvc.adapters.kubernetes.lists import read
from syncsvc.loadtests.clusters import Change, Event
from syncsvc.loadtests.seen import PodSeen, TestRunSeen

Raw = TypeVar("Raw")
Seen = TypeVar("Seen")

LONGEST = 240  # seconds, after which the server ends it; less than a stream may be silent


CHANGES = {change.value: change for change in Change}


class _Raw(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Versioned(msgspec.Struct):
    metadata: shapes.ListMetadata


_RAW = msgspec.json.Decoder(_Raw)
_VERSIONED = msgspec.json.Decoder(_Versioned)
_STATUS = msgspec.json.Decoder(Status)


@dataclass(frozen=True, slots=True)
class Watched(Generic[Raw, Seen]):
    """How objects of a type are watched."""

    resource: Resource
    decoder: msgspec.json.Decoder[Raw]
    seen: Callable[[Raw], Seen | None]

    async def changes(
        self, calls: KubernetesCalls, namespace: str, version: str, selector: str | None
    ) -> AsyncGenerator[Event[Seen]]:
        """Give changes after `version` until the server ends the watch.

        Without a version all that is there comes first, as added. Raises Gone when the version is
        forgotten, else as a Cluster does.
        """
        ask = watch_of(self.resource, namespace, version, selector)
        lines = Lines()
        async with aclosing(calls.stream(ask)) as pieces:
            async for piece in pieces:
                for line in lines.feed(piece):
                    if line.strip():
                        yield self._event(line, calls, ask)

    def _event(self, line: bytes, calls: KubernetesCalls, ask: Ask) -> Event[Seen]:
        raw = read(_RAW, line, calls, ask)
        change = CHANGES.get(raw.type)
        if change is None:  # ERROR
            raise of_error_event(calls.access.name, ask, read(_STATUS, raw.object, calls, ask))
        version = read(_VERSIONED, raw.object, calls, ask).metadata.version
        if change is Change.BOOKMARK:
            return Event(change, None, version)
        return Event(change, self.seen(read(self.decoder, raw.object, calls, ask)), version)


def watch_of(resource: Resource, namespace: str, version: str, selector: str | None) -> Ask:
    ask = listing(resource, namespace, selector, verb="watch")
    since = (("resourceVersion", version),) if version else ()
    return ask.with_params(
        *since,
        ("watch", "true"),
        ("allowWatchBookmarks", "true"),
        ("timeoutSeconds", LONGEST),
    )


WATCHED_TEST_RUNS: Watched[shapes.TestRun, TestRunSeen] = Watched(
    TEST_RUNS, msgspec.json.Decoder(shapes.TestRun), runs.seen
)
WATCHED_PODS: Watched[shapes.Pod, PodSeen] = Watched(
    PODS, msgspec.json.Decoder(shapes.Pod), pods.pod
)
