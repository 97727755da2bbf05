"""Request bodies, read within a limit and decoded with a complaint that a person can act on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from syncsvc.sandbox.replies import Refusal

JSON_LIMIT = 30_000_000  # bytes; what Kestrel, the vendor's server, allows unless told otherwise

Words = Mapping[str, str]  # field -> the words it may have, for the complaint about another
NO_WORDS: Words = {}

_T = TypeVar("_T")
_SAID = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_FIELD = re.compile(r"^Object (?P<problem>missing required|contains unknown) field `(?P<name>.*)`$")
_GOT = re.compile(r"^(?P<expected>Expected .*?), got .*$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True)
class Complaint:
    """Which field is wrong, what stands there and what should."""

    field: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.field or 'the body'}: found {self.found}, expected {self.expected}"


async def read(request: Request, limit: int) -> bytes:
    """Return the whole body; one that is longer than the limit is refused before it is kept."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise Refusal(413, f"the body has more than {limit} bytes")
            parts.append(part)
    except ClientDisconnect as error:
        raise Refusal(400, "the connection ended inside the body") from error
    return b"".join(parts)


def decode(raw: bytes, kind: type[_T], words: Words = NO_WORDS) -> _T:
    """Decode strictly; what does not fit raises a Refusal that carries the complaint."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        found = complaint(str(error), _content(raw), words)
        raise Refusal(400, str(found), found.field) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise _not_json(error) from error


def convert(value: object, kind: type[_T], words: Words = NO_WORDS) -> _T:
    """Do the same for what has been decoded already."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        found = complaint(str(error), value, words)
        raise Refusal(400, str(found), found.field) from error


def complaint(said: str, content: object, words: Words = NO_WORDS) -> Complaint:
    """Turn msgspec's sentence into field, found and expected."""
    match = _SAID.match(said)
    what, path = (match["what"], match["path"] or "") if match else (said, "")
    field = _FIELD.match(what)
    if field:
        path = f"{path}.{field['name']}"
        unknown = field["problem"] == "contains unknown"
        what = "no such field" if unknown else "a value"
    if what.startswith("Invalid"):
        what = _allowed(what, words.get(path.rpartition(".")[2]))
    got = _GOT.match(what)
    expected = (got["expected"] if got else what).removeprefix("Expected ")
    return Complaint(path.lstrip("."), _at(content, path), expected)


def _content(raw: bytes) -> object:
    """Decode without a shape; what did not fit one may break off later on."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _not_json(error) from error


def _not_json(error: Exception) -> Refusal:
    return Refusal(400, f"the body is not JSON: {error}")


def _allowed(what: str, words: str | None) -> str:
    """Say what should stand where msgspec only says that something is invalid."""
    if "UUID" in what:
        return "a UUID"
    if "datetime" in what:
        return "an RFC 3339 time"
    return words or "one of the allowed values"


def _at(content: Any, path: str) -> str:
    for name, index in _STEP.findall(path):
        try:
            content = content[name] if name else content[int(index)]
        except (KeyError, IndexError, TypeError):
            return "nothing"
    shown = msgspec.json.encode(content).decode()
    return shown if len(shown) <= 80 else shown[:79] + "…"
