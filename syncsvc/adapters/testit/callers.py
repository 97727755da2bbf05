"""Which Test IT adapter a request comes from, and what its connection says of its process."""

import re
from ipaddress import ip_address

from starlette.requests import Request

from syncsvc.runs.model import Caller

KINDS = (  # what User-Agent begins with, and the kind that says so
    (r"OpenAPI-Generator/[^/]*/python", "python"),
    (r"Python-urllib/", "python"),
    (r"OpenAPI-Generator/[^/]*/Javascript", "js"),
    (r"OpenAPI-Generator/[^/]*/java", "java"),
    (r"OpenAPI-Generator/[^/]*/csharp", "dotnet"),
    (r"OpenAPI-Generator/[^/]*/go", "go"),
    (r"OpenAPI-Generator/[^/]*/(?:dart|swift)", "mobile"),
    (r"Go-http-client/", "go"),
    (r"okhttp/", "okhttp"),
    (r"Dart/", "mobile"),
    (r".*(?:CFNetwork|Darwin)/", "mobile"),
)
ONE_CONNECTION = frozenset({"python", "java", "dotnet", "go", "okhttp"})  # for a whole session


def caller_of(request: Request) -> Caller:
    """Tell who speaks; an unknown client has neither kind nor peer."""
    kind = kind_of(request.headers.get("user-agent", ""))
    keeps = "close" not in request.headers.get("connection", "").lower()
    return Caller(kind, peer_of(request) if kind in ONE_CONNECTION and keeps else "")


def kind_of(user_agent: str) -> str:
    for pattern, kind in KINDS:
        if re.match(pattern, user_agent):
            return kind
    return ""


def peer_of(request: Request) -> str:
    """Name the other end of the connection, `host:port`; nothing where it has no such name."""
    client = request.client
    return f"{client.host}:{client.port}" if client is not None and client.port else ""


def is_local(request: Request) -> bool:
    """Tell whether the request came over loopback."""
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
