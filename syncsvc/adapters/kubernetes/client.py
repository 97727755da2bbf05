"""A Cluster over HTTP: load tests, their pods and jobs, and logs."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from syncsvc.adapters.kubernetes import pods, runs, shapes
from syncsvc.adapters.kubernetes.asking import TEST_RUNS, Ask, one
from syncsvc.adapters.kubernetes.calls import NO_CONTENT, KubernetesCalls, NoContent, Spent
from syncsvc.adapters.kubernetes.failures import Missing, Refusal
from syncsvc.adapters.kubernetes.lines import Lines
from syncsvc.adapters.kubernetes.lists import JOB_LISTING, POD_LISTING, TEST_RUN_LISTING, read
from syncsvc.adapters.kubernetes.logs import LogAsk, checked, explained, never_placed
from syncsvc.adapters.kubernetes.watching import WATCHED_PODS, WATCHED_TEST_RUNS
from syncsvc.errors import Unavailable
from syncsvc.loadtests.clusters import Event
from syncsvc.loadtests.seen import Listed, PodSeen, TestRunSeen

OF_OPERATOR = "app=k6"  # what the operator labels all that it makes
VERSION = Ask("/version")

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")

_TEST_RUN = msgspec.json.Decoder(shapes.TestRun)
_VERSION = msgspec.json.Decoder(shapes.Version)


@dataclass(frozen=True)
class KubernetesCluster:
    """A Cluster over HTTP."""

    calls: KubernetesCalls

    async def listed(self, namespace: str, selector: str | None = None) -> Listed:
        spent, at = Spent(), self.calls.manner.clock()
        limit = self.calls.manner.list_limit.total_seconds()
        try:
            async with asyncio.timeout(limit):
                raw_runs, raw_pods, raw_jobs = await _together(
                    TEST_RUN_LISTING.all(self.calls, namespace, selector, spent),
                    POD_LISTING.all(self.calls, namespace, OF_OPERATOR, spent),
                    JOB_LISTING.all(self.calls, namespace, OF_OPERATOR, spent),
                )
        except TimeoutError as error:
            raise Unavailable(
                f"{self.calls.place} did not list {namespace!r} within {limit:g} s"
            ) from error
        return Listed(
            [runs.seen(each) for each in raw_runs],
            [pod for each in raw_pods if (pod := pods.pod(each))],
            [job for each in raw_jobs if (job := pods.job(each))],
            at,
            spent.calls,
        )

    async def test_run(self, namespace: str, name: str) -> TestRunSeen | None:
        ask = one(TEST_RUNS, namespace, name)
        try:
            answer = await self.calls.get(ask, Spent())
        except Missing:
            return None
        found = read(_TEST_RUN, answer.body, self.calls, ask)
        if (found.metadata.namespace, found.metadata.name) != (namespace, name):
            raise Unavailable(f"{self.calls.place} answered {ask} with another object")
        return runs.seen(found)

    async def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        since: datetime | None = None,
        limit_bytes: int | None = None,
    ) -> bytes:
        log = LogAsk(namespace, pod, container, since, limit_bytes)
        try:
            answer = await self.calls.get_log(log.limited(), Spent())
        except (Missing, Refusal) as error:
            raise explained(log, error) from error
        if answer.code == NO_CONTENT:
            raise never_placed(log)
        return checked(log, answer.body)

    async def follow(
        self, namespace: str, pod: str, container: str, *, since: datetime | None = None
    ) -> AsyncGenerator[bytes]:
        log = LogAsk(namespace, pod, container, since)
        lines = Lines()
        try:
            async with aclosing(self.calls.stream(log.followed())) as pieces:
                async for piece in pieces:
                    for line in lines.feed(piece):
                        yield checked(log, line)
        except (Missing, Refusal) as error:
            raise explained(log, error) from error
        except NoContent as error:
            raise never_placed(log) from error
        if rest := lines.rest():
            yield checked(log, rest)

    async def version(self) -> str:
        answer = await self.calls.get(VERSION, Spent())
        return read(_VERSION, answer.body, self.calls, VERSION).git_version

    def watch_test_runs(
        self, namespace: str, version: str = ""
    ) -> AsyncGenerator[Event[TestRunSeen]]:
        return WATCHED_TEST_RUNS.changes(self.calls, namespace, version, None)

    def watch_pods(self, namespace: str, version: str = "") -> AsyncGenerator[Event[PodSeen]]:
        return WATCHED_PODS.changes(self.calls, namespace, version, OF_OPERATOR)

    async def close(self) -> None:
        await self.calls.wire.close()


async def _together(
    first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B], third: Coroutine[Any, Any, C]
) -> tuple[A, B, C]:
    """Wait for all three; when one fails the others end, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = (
                group.create_task(first),
                group.create_task(second),
                group.create_task(third),
            )
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return tasks[0].result(), tasks[1].result(), tasks[2].result()
