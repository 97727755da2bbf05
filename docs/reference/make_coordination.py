"""Prints docs/reference/coordination.md from the commands themselves.

python docs/reference/make_coordination.py > docs/reference/coordination.md
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from syncsvc.coordination.operations.every import Primitives, every_operation
from syncsvc.coordination.operations.operation import LONGEST_WAIT, Operation

HEAD = f"""# Coordination

The commands by which the workers of a run keep in step. They are the same over HTTP, over
WebSocket, in `syncsvc.client` and on the command line, and they meet in one place: a worker on
one gateway holds the lock that another on another gateway waits for. A run is a name, made by
using it.

- HTTP: `POST /api/v1/runs/{{run}}/{{command}}` on the API's port, the content as body; who asks
  is the field `worker` or the header `worker`. `GET /api/v1/commands` lists the commands,
  `/openapi.json` has every shape.
- WebSocket, port 9105, `/runs/{{run}}?worker=NAME`: `{{"command": "lock.acquire", "id": 7,
  "content": {{...}}}}` is answered with the same `command` and `id`; `{{"command": "cancel",
  "id": 7}}` gives up a call that waits. Calls of one connection run side by side.

**Waiting.** A command with `wait_seconds` answers as soon as there is what it waits for, at the
latest after so many seconds (0 does not wait, {LONGEST_WAIT:g} is most; ask again for more), and
says in its reply whether it came. Hanging up, or `cancel`, takes back what was queued.

**Asking again.** An answer may be lost on its way. With a `request` of your own choice a repeated
call does nothing and gets the first answer, for ten minutes; an id belongs to one command and
name. Commands without that field may be repeated without harm.

**Errors** are `{{"error": {{"message": ...}}}}` over HTTP and `{{"command": "error", "id": 7,
"content": {{"command", "kind", "message"}}}}` over WebSocket. The message names the field, what
was expected and what was found.

| kind | HTTP | what it means |
| --- | --- | --- |
| `rejected` | 400, 413 | wrong as it stands: a field of a wrong type, missing, unknown, too large |
| `unknown` | 404 | no such command, or what it names is not there |
| `conflict` | 409 | somebody was faster, or what you held is lost: look, then decide |
| `unavailable` | 503 | the store cannot be reached now: ask again later |

Names (of runs, workers, and everything else) are printable, at most 200 characters. Every command
takes `worker`, which is left out below. Moments are milliseconds since 1970 (UTC).
What nobody touches for `SYNCSVC_COORDINATION_LIFE` goes.
"""

PARTS = {
    "checkpoint": """## Checkpoints

A checkpoint holds workers back until `target` of them have arrived; each is counted once, however
often it arrives. With `cyclic` a release begins the next generation under the same name. `policy`
says what happens when a worker that arrived dies or leaves: nothing (`ignore`), all others are
told who broke it (`fail`), or one less is waited for (`shrink`). `outcome` is `released`, `late`
(it was released before: go on), `aborted`, `broken`, `timed_out`, `left`, or `lost` (the store
lost who had arrived: arrive again).
""",
    "lock": """## Locks

A lock has one holder. A lease ends by itself after `ttl_seconds` unless it is renewed. `token` is
the fencing token: larger with each grant of a name, for ever, so whoever is given tokens can
refuse older ones; `data.put` and `data.delete` do. Whoever waits stands in line. `lock.renew` and
`lock.release` of what is not held any more are a conflict that says who has it; releasing twice
does no harm.
""",
    "rwlock": """## Read-write locks

As locks, but any number may hold one to read while nobody holds it to write.
""",
    "semaphore": """## Semaphores

As locks, but up to `limit` permits are held at once; who asks for another `limit` than the one in
use gets a conflict.
""",
    "leader": """## Leaders

As locks, and everybody may observe who leads; `leader.observe` with `after_token` waits for the
next.
""",
    "counter": """## Counters

A counter is a whole number of 64 bits that begins with 0; a sum beyond that is rejected and
changes nothing.
""",
    "signal": """## Signals

A signal counts how often it was sent. `seq` is the place of one among all: 1, 2, 3 and so on.
""",
    "topic": """## Topics

Everybody reads everything that was published to a topic, in one order, from any offset on: give
`next` as `after` to read on. The newest 10,000 entries are kept; `oldest` is the smallest offset
that is, so a gap is visible. A payload has at most 256 KiB; one read gives about 1 MiB at most.
Whoever has read more than there is reads a topic that was lost, and begins again.
""",
    "data": """## Data

The blackboard of a run: values under names. A version is larger than all versions of the run
before it, also over deletions. With `if_version` a change is a conflict unless the entry has this
version (0: there is none); with `fence` unless `token` is the newest that was granted of the
lease `leader/NAME` or `lock/NAME` of the same run. A value has at most 1 MiB; a run has at most
10,000 entries, more are a conflict. An entry ends by itself after `ttl_seconds`, which counts as
a deletion.
""",
    "presence": """## Presence

A worker is present until it leaves, or `ttl_seconds` pass without a beat; a beat of one who is not
present is unknown, and says to join again. A named WebSocket connection beats by itself. `version`
grows with everyone who comes, leaves or is missed; `presence.list` with `after_version` waits for
another one.
""",
}

TYPES = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}


def page() -> str:
    operations = _operations()
    parts = (_part(part, words, operations) for part, words in PARTS.items())
    return HEAD + "".join(f"\n{part}" for part in parts)


def _operations() -> dict[str, Operation]:
    nobody: dict[str, Any] = dict.fromkeys(Primitives.__dataclass_fields__)
    return every_operation(Primitives(**nobody))  # shapes and words need nobody behind them


def _part(part: str, words: str, operations: dict[str, Operation]) -> str:
    rows = [_row(each) for name, each in operations.items() if name.partition(".")[0] == part]
    head = "| command | what it does | takes | gives |\n| --- | --- | --- | --- |\n"
    return words + "\n" + head + "\n".join(rows) + "\n"


def _row(operation: Operation) -> str:
    takes = ", ".join(_fields(operation.takes)) or "nothing"
    gives = ", ".join(_fields(operation.gives))
    return f"| `{operation.name}` | {operation.summary} | {takes} | {gives} |"


def _fields(shape: type[msgspec.Struct]) -> Iterator[str]:
    (_,), parts = msgspec.json.schema_components([shape], ref_template="{name}")
    described = parts[shape.__name__]
    is_request = "additionalProperties" in described
    for name, schema in described["properties"].items():
        if is_request and name == "worker":
            continue
        may_miss = is_request and name not in described.get("required", ())
        yield f"`{name}` " + (_optional(schema, parts) if may_miss else _type(schema, parts))


def _type(schema: dict[str, Any], parts: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _type(parts[schema["$ref"]], parts)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each, parts) for each in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    if "properties" in schema or "items" in schema:
        return _compound(schema, parts)
    return TYPES.get(schema.get("type", ""), "any JSON") + _range(schema)


def _compound(schema: dict[str, Any], parts: dict[str, Any]) -> str:
    if "items" in schema:
        return f"list of {_type(schema['items'], parts)}"
    inside = (f"`{name}` {_type(each, parts)}" for name, each in schema["properties"].items())
    return "{" + ", ".join(inside) + "}"


def _range(schema: dict[str, Any]) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum")
    if high is None or high >= 2**53 - 1:
        return f" from {low}" if low in (0, 1) else ""
    word = "above" if "exclusiveMinimum" in schema else "from"
    return f" {word} {low:,.10g} to {high:,.10g}"


def _optional(schema: dict[str, Any], parts: dict[str, Any]) -> str:
    kind = _type(schema, parts).removesuffix(" or null")
    found = schema.get("default")
    if found in (None, ""):
        return f"{kind} (optional)"
    return f"{kind} = {msgspec.json.encode(found).decode()}"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - what the script is for
