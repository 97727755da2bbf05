"""The control surface: what a test or a demo tells the sandbox itself, under /__sandbox__/.

It needs no token; a sandbox serves loopback only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from syncsvc.sandbox.bodies import JSON_LIMIT, decode, read
from syncsvc.sandbox.calls import CallLog
from syncsvc.sandbox.faults import Plan, Switchboard, is_pattern
from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID
from syncsvc.sandbox.kubernetes.clusters import Kubernetes
from syncsvc.sandbox.replies import Refusal, json_reply
from syncsvc.sandbox.testio.worlds import TestIo
from syncsvc.sandbox.testit import report
from syncsvc.sandbox.testit.instance import TestIt
from syncsvc.sandbox.testit.model import BoundPost, LateResult
from syncsvc.sandbox.testit.requests import WriteAutotest
from syncsvc.sandbox.testit.runs import Planned
from syncsvc.sandbox.testit.values import Text

PREFIX = "/__sandbox__"
WORDS = {
    "kind": "status, reset, hang or timeout_after_store",
    "late_results": ", ".join(LateResult),
    "bound_results": ", ".join(BoundPost),
}
_T = TypeVar("_T")


class Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Switches of Test IT; what is left out stays."""

    late_results: LateResult | None = None
    bound_results: BoundPost | None = None
    adapters_surface: bool | None = None


class Expected(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    external_id: Text
    name: str | None = None
    parameters: Mapping[str, str] | None = None
    configuration_id: UUID = CONFIGURATION_ID


class PlanRun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run from a test plan; autotests it names are created where they are unknown."""

    results: Sequence[Expected]
    name: str | None = None


class AddConfiguration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Text


@dataclass(frozen=True)
class Control:
    testit: TestIt
    switchboard: Switchboard
    log: CallLog
    testio: TestIo = field(default_factory=TestIo)
    kubernetes: Kubernetes = field(default_factory=Kubernetes)

    def routes(self) -> list[BaseRoute]:
        return [
            Route(f"{PREFIX}/state", self.state, methods=["GET"]),
            Route(f"{PREFIX}/tally", self.tally, methods=["GET"]),
            Route(f"{PREFIX}/reset", self.reset, methods=["POST"]),
            Route(f"{PREFIX}/faults", self.faults, methods=["GET"]),
            Route(f"{PREFIX}/faults", self.put_faults, methods=["PUT"]),
            Route(f"{PREFIX}/faults", self.delete_faults, methods=["DELETE"]),
            Route(f"{PREFIX}/rules", self.rules, methods=["GET"]),
            Route(f"{PREFIX}/rules", self.put_rules, methods=["PUT"]),
            Route(f"{PREFIX}/runs", self.plan_run, methods=["POST"]),
            Route(f"{PREFIX}/configurations", self.add_configuration, methods=["POST"]),
            Route(f"{PREFIX}/calls", self.calls, methods=["GET"]),
        ]

    async def state(self, request: Request) -> Response:
        run_id = request.query_params.get("run")
        return json_reply(report.state(self.testit, _uuid(run_id) if run_id else None))

    async def tally(self, request: Request) -> Response:
        run_id = request.query_params.get("run")
        wanted = self.testit.runs.run(_uuid(run_id)).id if run_id else None
        return json_reply(report.tally(self.testit, wanted))

    async def reset(self, request: Request) -> Response:
        """Begin anew: no runs, no autotests, no faults, no calls, all else as at the start."""
        self.testit.reset()
        self.testio.reset()
        self.kubernetes.reset()
        self.switchboard.put(Plan())
        self.log.clear()
        return _done()

    async def faults(self, request: Request) -> Response:
        return json_reply(shown(self.switchboard))

    async def put_faults(self, request: Request) -> Response:
        plan = await body(request, Plan)
        check_patterns(plan)
        self.switchboard.put(plan)
        return json_reply(shown(self.switchboard))

    async def delete_faults(self, request: Request) -> Response:
        self.switchboard.put(Plan())
        return _done()

    async def rules(self, request: Request) -> Response:
        return json_reply(report.rules(self.testit))

    async def put_rules(self, request: Request) -> Response:
        wanted = await body(request, Rules)
        runs = self.testit.runs
        runs.late = wanted.late_results or runs.late
        runs.bound = wanted.bound_results or runs.bound
        if wanted.adapters_surface is not None:
            self.testit.adapters_surface = wanted.adapters_surface
        return json_reply(report.rules(self.testit))

    async def plan_run(self, request: Request) -> Response:
        wanted = await body(request, PlanRun)
        names = {each.external_id: each.name or each.external_id for each in wanted.results}
        self._make_known(names)
        run = self.testit.runs.plan(
            wanted.name,
            [
                Planned(each.external_id, each.configuration_id, each.parameters)
                for each in wanted.results
            ],
        )
        results, attachments = self.testit.runs.results(run.id), self.testit.library.attachments
        return json_reply(report.run(run, results, attachments), 201)

    async def add_configuration(self, request: Request) -> Response:
        wanted = await body(request, AddConfiguration)
        added = self.testit.library.add_configuration(wanted.name)
        return json_reply({"id": added.id, "name": added.name}, 201)

    async def calls(self, request: Request) -> Response:
        """Show the latest calls and the counters of all; `?clear` forgets them afterwards."""
        reply = json_reply(
            {
                "total": self.log.total,
                "counters": self.log.counters,
                "calls": list(self.log.calls)[-_last(request) :],
            }
        )
        if "clear" in request.query_params:
            self.log.clear()
        return reply

    def _make_known(self, names: Mapping[str, str]) -> None:
        library = self.testit.library
        self.testit.library.create(
            [
                WriteAutotest(project_id=PROJECT_ID, external_id=external_id, name=name)
                for external_id, name in names.items()
                if not library.knows(external_id)
            ]
        )


async def body(request: Request, kind: type[_T]) -> _T:
    return decode(await read(request, JSON_LIMIT), kind, WORDS)


def check_patterns(plan: Plan) -> None:
    for number, rule in enumerate(plan.rules):
        if not is_pattern(rule.pattern):
            _refuse_pattern(f"rules[{number}].pattern", rule.pattern)
        if not is_pattern(rule.query):
            _refuse_pattern(f"rules[{number}].query", rule.query)


def shown(switchboard: Switchboard) -> dict[str, object]:
    """Tell the plan in force and what became of each of its rules."""
    return {
        "latency": switchboard.plan.latency,
        "seed": switchboard.plan.seed,
        "rules": [
            {**msgspec.to_builtins(each.rule), "seen": each.seen, "hits": each.hits}
            for each in switchboard.counted
        ],
    }


def _refuse_pattern(field: str, found: str | None) -> NoReturn:
    raise Refusal(400, f"{field}: found {found!r}, expected a regular expression", field)


def _done() -> Response:
    return Response(status_code=204)


def _uuid(found: str) -> UUID:
    try:
        return UUID(found)
    except ValueError as error:
        raise Refusal(400, f"run: found {found}, expected a UUID", "run") from error


def _last(request: Request) -> int:
    found = request.query_params.get("last", "1000")
    if not found.isdecimal() or len(found) > 4 or not 1 <= int(found) <= 1000:
        raise Refusal(400, f"last: found {found}, expected a number from 1 to 1000", "last")
    return int(found)
