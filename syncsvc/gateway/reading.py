"""How the API reads a request: its body and its query, each wrong field named with its path."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from syncsvc.bodies import read_body
from syncsvc.catalogue.model import Barrier, EntityType, IfRunning, SyncPhase
from syncsvc.errors import Rejected
from syncsvc.results.held.model import EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.results.ledger import Kind
from syncsvc.results.pushed.model import StatusWord

Shape = TypeVar("Shape")
WORDS: dict[str, Sequence[str]] = {
    "status": get_args(StatusWord),
    "phases": tuple(SyncPhase),
    "entity_types": tuple(EntityType),
    "barrier": tuple(Barrier),
    "if_running": tuple(IfRunning),
}
PAGE = 100
JSON = "application/json"


def json_reply(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type=JSON)


async def read_json(request: Request, shape: type[Shape], limit: int) -> Shape:
    """Read a JSON body of at most `limit` bytes.

    Raises TooLarge, or Rejected that names the field, what was found and what was expected.
    """
    body = await read_body(request, limit)
    if not body.strip():
        raise Rejected("body: expected a JSON object, found nothing")
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise Rejected(_explain(str(error), body)) from error
    except RecursionError as error:
        raise Rejected("body: expected JSON, found it nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected(f"body: expected JSON in UTF-8, found something else: {error}") from error


def limit(request: Request) -> int:
    """Raises Rejected for a page that is too large, or none."""
    word = request.query_params.get("limit", str(PAGE))
    if not word.isascii() or not word.isdigit() or not 1 <= int(word[:9]) <= 1000:
        raise Rejected(f"limit: expected 1 to 1000, found {word[:40]!r}")
    return int(word)


def which(request: Request) -> Filter:
    """Read which results are asked for. Raises Rejected."""
    query = request.query_params
    state = query.get("state")
    return Filter(
        state=None if state is None else EntryState(one_of("state", state, tuple(EntryState))),
        run_id=query.get("run"),
        limit=limit(request),
        before=query.get("before"),
    )


def kind(request: Request) -> Kind | None:
    """Read which kind of result is asked for; None: both. Raises Rejected."""
    word = request.query_params.get("kind")
    return None if word is None else Kind(one_of("kind", word, tuple(Kind)))


def one_of(field: str, word: str, known: tuple[str, ...]) -> str:
    """Raises Rejected for a word that is not known."""
    if word not in known:
        raise Rejected(f"{field}: expected one of {', '.join(known)}, found {word[:40]!r}")
    return word


def _explain(said: str, body: bytes) -> str:
    """Turn msgspec's words into ours: the field's path first, what was found last."""
    what, _, path = said.partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    inside = f"{field}." if field else ""
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", what):
        return f"{inside}{missing[1]}: expected a value, found no such field"
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        return f"{inside}{unknown[1][:80]}: no such field"
    if word := re.fullmatch(r"Invalid enum value (.*)", what, re.DOTALL):
        return f"{field}: expected one of {', '.join(_words(field))}, found {word[1][:80]}"
    problem = (what[:1].lower() + what[1:])[:300].replace("got", "found").replace("`", "")
    return f"{field or 'body'}: {problem}{_found(body, path, what)}"


def _words(field: str) -> Sequence[str]:
    """Give the words that a field may have, by its name at the end of its path."""
    names = re.findall(r"[a-z_]+", field)
    return WORDS.get(names[-1], ()) if names else ()


def _found(body: bytes, path: str, what: str) -> str:
    """Say what stands at a path, where msgspec does not; nothing inside a mapping."""
    if ", got " in what or "[...]" in path:
        return ""
    try:
        value = _at(path, msgspec.json.decode(body))
        found = f"{len(value)} characters" if "length" in what else repr(value)[:80]
    except (ValueError, LookupError, TypeError, RecursionError):  # what follows is worse still
        return ""
    return f", found {found}"


def _at(path: str, value: Any) -> Any:
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        value = value[name] if name else value[int(index)]
    return value
