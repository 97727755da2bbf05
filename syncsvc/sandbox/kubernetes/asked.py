"""What a call to a Kubernetes API asks for, read from its method, path and query."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from syncsvc.sandbox.kubernetes.status import bad_request

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
TRUE = ("1", "true", "True", "t", "T", "TRUE")


@dataclass(frozen=True, slots=True)
class Asked:
    """A call; `resource` is None for a path that is about the server itself."""

    path: str
    verb: str
    query: Mapping[str, str]
    group: str = ""
    version: str = ""
    resource: str | None = None
    namespace: str | None = None
    name: str | None = None
    sub: str | None = None

    @property
    def right(self) -> str:
        """Name the resource as a role does."""
        return f"{self.resource}/{self.sub}" if self.sub else f"{self.resource}"

    @property
    def label(self) -> str:
        """Name the sort of call for counts."""
        if self.resource is None:
            return f"{self.verb} server"
        if self.sub == "log":
            return "log pods"
        return f"{self.verb} {self.right}"

    def flag(self, name: str) -> bool:
        return self.query.get(name, "") in TRUE

    def number(self, name: str) -> int | None:
        """Read a whole number, complaining as Go's strconv does."""
        text = self.query.get(name, "")
        if not text:
            return None
        digits = text[1:] if text[0] in "+-" else text
        if not (digits.isascii() and digits.isdecimal()):
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
        return int(text)


def asked(method: str, path: str, query_string: bytes) -> Asked:
    """Read a call; the path begins below the cluster."""
    query = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
    parts = [part for part in path.split("/") if part]
    group, version, rest = _parted(parts)
    if not rest:
        return Asked(path, method.lower(), query, group, version)
    namespace: str | None = None
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource, name, sub = (*rest, None, None)[:3]
    if len(rest) > 3:
        sub = "/".join(rest[2:])
    if resource == "namespaces":
        namespace = name
    verb = _verb(method, name, query)
    return Asked(path, verb, query, group, version, resource, namespace, name, sub)


def _parted(parts: list[str]) -> tuple[str, str, list[str]]:
    if parts[:1] == ["api"]:
        return "", parts[1] if len(parts) > 1 else "", parts[2:]
    if parts[:1] == ["apis"]:
        group, version = (*parts[1:3], "", "")[:2]
        return group, version, parts[3:]
    return "", "", []


def _verb(method: str, name: str | None, query: Mapping[str, str]) -> str:
    if method in ("GET", "HEAD"):
        if name is not None:
            return "get"
        return "watch" if query.get("watch") in TRUE else "list"
    if method == "DELETE":
        return "delete" if name is not None else "deletecollection"
    return VERBS.get(method, method.lower())
