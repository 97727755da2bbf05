"""The control surface's TestRuns: made in any number, taken on, changed and deleted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from syncsvc.sandbox.bodies import JSON_LIMIT, decode, read
from syncsvc.sandbox.kubernetes.cluster import Cluster
from syncsvc.sandbox.kubernetes.life import Life
from syncsvc.sandbox.kubernetes.operator import Operator
from syncsvc.sandbox.kubernetes.pods import ending
from syncsvc.sandbox.kubernetes.scenario import Alter, Scenario
from syncsvc.sandbox.kubernetes.wishes import WORDS, Act, CreateTestRuns, Recreate, Step, state
from syncsvc.sandbox.replies import Missing, json_reply

_ENDS = {"oom": "oom", "evict": "evicted"}


@dataclass(frozen=True)
class RunControl:
    cluster: Callable[[Request], Cluster]

    def routes(self, prefix: str) -> list[BaseRoute]:
        one = f"{prefix}/testruns/{{namespace}}/{{name}}"
        return [
            Route(f"{prefix}/scenario", self.scenario, methods=["GET"]),
            Route(f"{prefix}/scenario", self.put_scenario, methods=["PUT"]),
            Route(f"{prefix}/testruns", self.testruns, methods=["GET"]),
            Route(f"{prefix}/testruns", self.create, methods=["POST"]),
            Route(one, self.alter, methods=["PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/recreate", self.recreate, methods=["POST"]),
            Route(f"{prefix}/step", self.step, methods=["POST"]),
            Route(f"{prefix}/pods/{{namespace}}/{{name}}", self.act, methods=["POST"]),
        ]

    async def scenario(self, request: Request) -> Response:
        return json_reply(self.cluster(request).operator.scenario)

    async def put_scenario(self, request: Request) -> Response:
        wanted = decode(await read(request, JSON_LIMIT), Scenario, WORDS)
        self.cluster(request).operator.scenario = wanted
        return json_reply(wanted)

    async def testruns(self, request: Request) -> Response:
        query = request.query_params
        operator = self.cluster(request).operator
        return _states(operator.selected(query.get("namespace"), query.get("name")))

    async def create(self, request: Request) -> Response:
        wanted = decode(await read(request, JSON_LIMIT), CreateTestRuns, WORDS)
        cluster = self.cluster(request)
        cluster.add_namespace(wanted.namespace)
        operator = cluster.operator
        for name in wanted.names():
            key = (wanted.namespace, name)
            operator.create(key, wanted.spec(name), dict(wanted.labels), wanted.scenario)
        made = [_life(operator, (wanted.namespace, name)) for name in wanted.names()]
        if wanted.until is not None:
            operator.step(made, wanted.until)
        return _states(made, 201)

    async def alter(self, request: Request) -> Response:
        wanted = decode(await read(request, JSON_LIMIT), Alter, WORDS)
        operator = self.cluster(request).operator
        life = _life(operator, _key(request))
        operator.alter(life, wanted.of(life.scenario))
        return json_reply(state(life))

    async def delete(self, request: Request) -> Response:
        operator = self.cluster(request).operator
        life = _life(operator, _key(request))
        operator.delete(life.key)
        return json_reply(state(life))

    async def recreate(self, request: Request) -> Response:
        wanted = decode(await read(request, JSON_LIMIT), Recreate, WORDS)
        operator = self.cluster(request).operator
        old = _life(operator, _key(request)).born
        key, labels = old.meta.key, dict(old.meta.labels)
        operator.create(key, old.spec, labels, wanted.scenario)
        life = _life(operator, key)
        if wanted.until is not None:
            operator.step([life], wanted.until)
        return json_reply(state(life), 201)

    async def step(self, request: Request) -> Response:
        """Take TestRuns on, all or those that are named."""
        wanted = decode(await read(request, JSON_LIMIT), Step, WORDS)
        operator = self.cluster(request).operator
        meant = operator.selected(wanted.namespace, wanted.name)
        if wanted.name is not None and not meant:
            raise Missing("the TestRun", wanted.name[:80])
        operator.step(meant, wanted.until)
        return _states(meant)

    async def act(self, request: Request) -> Response:
        """Let something happen to a pod."""
        wanted = decode(await read(request, JSON_LIMIT), Act, WORDS)
        operator, key = self.cluster(request).operator, _key(request)
        if operator.pods.get(key) is None:
            raise Missing("the pod", key[1][:80])
        _act(operator, key, wanted)
        pod = operator.pods.get(key)
        return json_reply({"namespace": key[0], "pod": key[1], "phase": pod and pod.phase})


def _act(operator: Operator, key: tuple[str, str], wanted: Act) -> None:
    now = operator.clock()
    if wanted.action == "delete":
        operator.delete_pod(key)
    elif wanted.action == "vanish":
        operator.pods.remove(key, now)
    elif wanted.action == "restart":
        operator.pods.restart(key, now)
    else:
        _end(operator, key, _ENDS.get(wanted.action, wanted.exit_code))


def _end(operator: Operator, key: tuple[str, str], exit_: int | str) -> None:
    """End a pod; a runner does so as its TestRun's scenario lets runners end."""
    found = operator.maker_of(key)
    if found is not None and found[1].index is not None:
        operator.end_runner(found[0], found[1].index, exit_)
    else:
        operator.pods.end(key, ending(exit_), operator.clock())


def _key(request: Request) -> tuple[str, str]:
    return request.path_params["namespace"], request.path_params["name"]


def _life(operator: Operator, key: tuple[str, str]) -> Life:
    found = operator.life(key)
    if found is None:
        raise Missing("the TestRun", f"{key[0]}/{key[1]}"[:80])
    return found


def _states(lives: Iterable[Life], status: int = 200) -> Response:
    return json_reply({"testruns": [state(each) for each in lives]}, status)
