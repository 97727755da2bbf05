"""The page at /: runs, results, statuses and faults, for a person who watches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from syncsvc.sandbox.faults import Switchboard
from syncsvc.sandbox.kubernetes.clusters import Kubernetes
from syncsvc.sandbox.kubernetes.model import Kind
from syncsvc.sandbox.testio.worlds import TestIo
from syncsvc.sandbox.testit.instance import TestIt
from syncsvc.sandbox.testit.model import Result, Run, status_type_of

NEWEST = 20  # runs
FIRST = 200  # results of a run
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }
table { border-collapse: collapse; margin: .5rem 0 2rem; min-width: 40rem }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .75rem; text-align: left }
.Succeeded { color: #1a7f37 } .Failed { color: #b42318 }
.Incomplete { color: #8a6100 } .InProgress, .Pending { color: #1f5fbf }
"""


@dataclass(frozen=True)
class Page:
    testit: TestIt
    switchboard: Switchboard
    testio: TestIo
    kubernetes: Kubernetes

    def route(self) -> Route:
        return Route("/", self.show, methods=["GET"])

    async def show(self, request: Request) -> Response:
        return HTMLResponse(page(self.testit, self.switchboard, self.testio, self.kubernetes))


def page(testit: TestIt, switchboard: Switchboard, testio: TestIo, kubernetes: Kubernetes) -> str:
    runs = list(testit.runs)[::-1]
    shown = "".join(_run(run, testit.runs.results(run.id)) for run in runs[:NEWEST])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="refresh" content="2"><title>Test IT sandbox</title>'
        f"<style>{_STYLE}</style></head><body><h1>Test IT sandbox</h1>"
        f"<h2>Faults</h2>{_faults(switchboard)}"
        f"<h2>Runs ({len(runs)})</h2>{shown or '<p>None yet.</p>'}"
        f"<h2>TestIO</h2>{_customers(testio)}"
        f"<h2>Kubernetes</h2>{_clusters(kubernetes)}</body></html>"
    )


def _faults(switchboard: Switchboard) -> str:
    latency = f"<p>Latency: {switchboard.plan.latency} s</p>"
    if not switchboard.counted:
        return f"{latency}<p>No rules.</p>"
    rows = (
        (each.rule.__struct_config__.tag, repr(each.rule), each.seen, each.hits)
        for each in switchboard.counted
    )
    return latency + _table(("kind", "rule", "calls seen", "calls struck"), map(_row, rows))


def _customers(testio: TestIo) -> str:
    heads = ("token", "products", "calls answered", "calls throttled", "in flight at most")
    levels = testio.load.tokens
    rows = (
        (
            token,
            len(each.world.product_ids()),
            each.meter.answered,
            each.meter.throttled,
            levels[token].peak if token in levels else 0,
        )
        for token, each in testio.customers.items()
    )
    return _table(heads, map(_row, rows))


def _clusters(kubernetes: Kubernetes) -> str:
    heads = ("cluster", "TestRuns by stage", "pods", "calls", "in flight at most")
    rows = (
        (
            name,
            ", ".join(f"{number} {stage}" for stage, number in each.stages().items()),
            each.operator.store.count(Kind.PODS),
            sum(each.counts.calls.values()),
            each.counts.all.peak,
        )
        for name, each in kubernetes.clusters.items()
    )
    return _table(heads, map(_row, rows))


def _run(run: Run, results: Sequence[Result]) -> str:
    kind = status_type_of(run)
    closed = "; ".join(
        f"closed by {each.by} at {each.time:%H:%M:%S} with {each.results} results"
        for each in run.completions
    )
    late = f"; <b>{run.late_results} late</b>" if run.late_results else ""
    rest = f"<p>and {len(results) - FIRST} more</p>" if len(results) > FIRST else ""
    heads = ("test", "parameters", "status", "message", "changes")
    return (
        f'<h3 id="{run.id}">{escape(run.name)} <span class="{kind}">{kind}</span></h3>'
        f"<p>{run.id}, {run.state}, {run.size} results, {run.open_results} open"
        f"{'; ' if closed else ''}{closed}{late}</p>"
        f"{_table(heads, map(_result, results[:FIRST]))}{rest}"
    )


def _result(result: Result) -> str:
    parameters = ", ".join(f"{k}={v}" for k, v in (result.content.parameters or {}).items())
    changes = " → ".join(f"{each.after.code} ({each.by})" for each in result.history)
    message = (result.content.message or "")[:200]
    cells = (result.external_id, parameters, result.status.code, message, changes)
    return _row(cells, result.status.type)


def _row(cells: Iterable[object], kind: str = "") -> str:
    shown = "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)
    return f'<tr class="{kind}">{shown}</tr>'


def _table(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{each}</th>" for each in heads)
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"
