"""The control surface's logs: lines are written when a test says so, and what was is told."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from syncsvc.sandbox.bodies import JSON_LIMIT, decode, read
from syncsvc.sandbox.kubernetes.cluster import Cluster
from syncsvc.sandbox.kubernetes.logs import Log
from syncsvc.sandbox.kubernetes.operator import Operator
from syncsvc.sandbox.kubernetes.output import noisy_line, script_line
from syncsvc.sandbox.kubernetes.wishes import WORDS, Emit, written
from syncsvc.sandbox.replies import Missing, Refusal, json_reply

_BYTES = "application/octet-stream"


@dataclass(frozen=True)
class LogControl:
    cluster: Callable[[Request], Cluster]

    def routes(self, prefix: str) -> list[BaseRoute]:
        return [
            Route(f"{prefix}/emit", self.emit, methods=["POST"]),
            Route(f"{prefix}/emitted", self.emitted, methods=["GET"]),
        ]

    async def emit(self, request: Request) -> Response:
        wanted = decode(await read(request, JSON_LIMIT), Emit, WORDS)
        operator = self.cluster(request).operator
        meant = _meant(operator, wanted)
        if not meant:
            text = "expected a container that runs; step its TestRun to started"
            raise Refusal(400, f"pod: found none that writes to {wanted.container}, {text}", "pod")
        sizes = [log.size for log in meant]
        for log in meant:
            lines = _write(log, wanted, wanted.at or operator.clock())
        size = sum(log.size for log in meant) - sum(sizes)
        told = {"containers": len(meant), "lines": lines * len(meant), "bytes": size}
        return json_reply(told)

    async def emitted(self, request: Request) -> Response:
        """Tell what was written: of one container all of it, of others in short."""
        query, operator = request.query_params, self.cluster(request).operator
        logs = operator.logs.of(query.get("namespace"), query.get("name"))
        for log in logs:
            log.catch_up(operator.clock())
        if "pod" not in query:
            return json_reply({"containers": [written(log) for log in logs]})
        name = query.get("container", "k6")
        for log in logs:
            if (log.pod, log.container) == (query["pod"], name):
                timestamps = query.get("timestamps") == "true"
                return Response(log.content(timestamps=timestamps), media_type=_BYTES)
        raise Missing("the log of", f"{query['pod'][:80]}/{name[:80]}")


def _meant(operator: Operator, wanted: Emit) -> Sequence[Log]:
    """Find the logs to write to: of a pod that is named, or of all runners."""
    logs = operator.logs.of(wanted.namespace, wanted.name)
    open_ = [log for log in logs if not log.ended and log.container == wanted.container]
    if wanted.pod is not None:
        return [log for log in open_ if log.pod == wanted.pod]
    return [log for log in open_ if _is_runner(operator, log)]


def _is_runner(operator: Operator, log: Log) -> bool:
    pod = operator.pods.get((log.namespace, log.pod))
    return pod is not None and pod.meta.labels.get("runner") == "true"


def _write(log: Log, wanted: Emit, at: datetime) -> int:
    number = -1
    log.catch_up(at)
    for number, line in enumerate(_lines(log, wanted, at)):
        log.write(line, at + number * timedelta(seconds=wanted.gap))
    return number + 1


def _lines(log: Log, wanted: Emit, at: datetime) -> Iterable[bytes]:
    given = [*(wanted.base64 or ()), *(text.encode() for text in wanted.texts or ())]
    if any(b"\n" in each for each in given):
        raise Refusal(400, "texts: found a line feed, expected one line each", "texts")
    if wanted.base64 is not None or wanted.texts is not None:
        return given
    write = noisy_line if wanted.progress else script_line
    first = len(log.lines)
    return [write(first + number, at) for number in range(wanted.lines)]
