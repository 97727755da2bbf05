"""What a Kubernetes API says of itself: its version, its groups and their resources."""

from syncsvc.sandbox.kubernetes.asked import Asked
from syncsvc.sandbox.kubernetes.model import GROUP, VERSION, Json
from syncsvc.sandbox.kubernetes.status import NoSuchPath

_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "get", "list", "patch", "update", "watch"]
_RELEASE: Json = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "sandbox",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.26.6",
    "compiler": "gc",
    "platform": "linux/amd64",
}


def discovered(asked: Asked, *, with_operator: bool) -> Json:
    """Answer a path that is about the server itself. Raises NoSuchPath."""
    known = _paths(with_operator=with_operator)
    path = asked.path.rstrip("/")
    if path not in known:
        raise NoSuchPath
    return known[path]


def _paths(*, with_operator: bool) -> dict[str, Json]:
    groups = [_group("batch", "v1"), *([_group(GROUP, VERSION)] if with_operator else [])]
    known = {
        "/version": _RELEASE,
        "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "/api/v1": _resources("v1", _CORE),
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        "/apis/batch/v1": _resources("batch/v1", [_resource("jobs", "Job", "job", _READ)]),
    }
    if with_operator:
        known[f"/apis/{GROUP}"] = {"kind": "APIGroup", "apiVersion": "v1", **_group(GROUP, VERSION)}
        known[f"/apis/{GROUP}/{VERSION}"] = _resources(f"{GROUP}/{VERSION}", _OPERATOR)
    return known


def _group(name: str, version: str) -> Json:
    shown = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [shown], "preferredVersion": shown}


def _resources(version: str, resources: list[Json]) -> Json:
    head = {"kind": "APIResourceList", "apiVersion": "v1"}
    return {**head, "groupVersion": version, "resources": resources}


def _resource(name: str, kind: str, singular: str, verbs: list[str]) -> Json:
    shown: Json = {"name": name, "singularName": singular, "kind": kind, "verbs": verbs}
    return {**shown, "namespaced": name != "namespaces"}


_CORE = [
    _resource("namespaces", "Namespace", "namespace", _READ),
    _resource("pods", "Pod", "pod", ["create", "delete", *_READ]),
    _resource("pods/log", "Pod", "", ["get"]),
]
_OPERATOR = [
    _resource("testruns", "TestRun", "testrun", _WRITE),
    _resource("testruns/status", "TestRun", "", ["get", "patch", "update"]),
]
