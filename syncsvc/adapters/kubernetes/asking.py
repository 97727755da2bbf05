"""What is asked of a cluster, in the words of its rights: a verb, a resource and a namespace."""

import re
from dataclasses import dataclass, replace
from urllib.parse import quote

from syncsvc.errors import Rejected

Params = tuple[tuple[str, str | int], ...]

LONGEST_NAME = 253
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Resource:
    """A type of objects; `group` is empty for those that every cluster has."""

    plural: str
    kind: str
    group: str = ""
    version: str = "v1"

    @property
    def root(self) -> str:
        start = f"/apis/{self.group}" if self.group else "/api"
        return f"{start}/{self.version}"

    @property
    def full_name(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


TEST_RUNS = Resource("testruns", "TestRun", "k6.io", "v1alpha1")
PODS = Resource("pods", "Pod")
JOBS = Resource("jobs", "Job", "batch")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to read something."""

    path: str
    verb: str = "get"
    resource: Resource | None = None
    namespace: str = ""
    name: str = ""
    part: str = ""  # of the object, such as its log
    params: Params = ()

    def __str__(self) -> str:
        if self.resource is None:
            return f"GET {self.path}"
        which = f" {self.name}" if self.name else ""
        part = f"/{self.part}" if self.part else ""
        what = f"{self.resource.full_name}{part}{which}"
        return f"{self.verb} {what} in namespace {self.namespace!r}"

    @property
    def how_to_check(self) -> str:
        """Give the command that tells whether the right is there."""
        if self.resource is None:
            return f"kubectl auth can-i get {self.path}"
        part = f" --subresource={self.part}" if self.part else ""
        return (
            f"kubectl auth can-i {self.verb} {self.resource.full_name}{part} "
            f"--namespace {self.namespace}"
        )

    def with_params(self, *more: tuple[str, str | int]) -> "Ask":
        return replace(self, params=self.params + more)


def listing(resource: Resource, namespace: str, selector: str | None, verb: str = "list") -> Ask:
    params: Params = (("labelSelector", selector),) if selector else ()
    return Ask(_path(resource, namespace), verb, resource, namespace, params=params)


def one(resource: Resource, namespace: str, name: str, part: str = "") -> Ask:
    path = f"{_path(resource, namespace)}/{quote(checked_name(name), safe='')}"
    path += f"/{part}" if part else ""
    return Ask(path, "get", resource, namespace, name, part)


def checked_name(name: str) -> str:
    """Give a name that an object can have; raises Rejected for any other."""
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise Rejected(
            "name: expected at most 253 lower case letters, digits, '-' and '.', "
            f"found {name[:80]!r}"
        )
    return name


def _path(resource: Resource, namespace: str) -> str:
    if not _LABEL.fullmatch(namespace):
        raise Rejected(
            "namespace: expected at most 63 lower case letters, digits and '-', "
            f"found {namespace[:80]!r}"
        )
    return f"{resource.root}/namespaces/{namespace}/{resource.plural}"
