"""What a pushed result says of its autotest, and what of that is news to Test IT.

What a result does not say is left as it is, and so is everything that others have written: an
update replaces a whole autotest, so it carries back what the search gave.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from syncsvc.results.pushed.model import Result

SCOPE = "::"  # parts a label's base from its value; an autotest has one value of each base
LAYER = f"layer{SCOPE}"  # Test IT's autotests have no field for it

Body = dict[str, Any]


def digest(result: Result) -> bytes:
    """Tell definitions apart in few bytes."""
    definition = (_told(result), _labels(result))
    return blake2b(msgspec.json.encode(definition), digest_size=16).digest()


def created(result: Result, project_id: str) -> Body:
    """Describe an autotest that Test IT does not have."""
    return {
        "projectId": project_id,
        "externalId": result.external_id,
        "name": result.external_id,
        **_told(result),
        "labels": [{"name": label} for label in _labels(result)],
    }


def updated(found: Body, result: Result, project_id: str) -> Body | None:
    """Describe an autotest anew; None when it is as the result says."""
    told, labels = _told(result), _merged(found, _labels(result))
    names = [label["name"] for label in found.get("labels") or ()]
    if set(labels) == set(names) and all(found.get(name) == told[name] for name in told):
        return None
    kept = {name: found[name] for name in ("externalKey", "tags") if found.get(name) is not None}
    return {
        **{name: found.get(name) for name in ("id", "name", "namespace", "classname")},
        **{name: found.get(name) for name in ("title", "description")},
        **kept,
        **told,
        "projectId": found.get("projectId") or project_id,
        "externalId": result.external_id,
        "isFlaky": bool(found.get("isFlaky")),
        **{name: _steps(found.get(name)) for name in ("steps", "setup", "teardown")},
        "labels": [{"name": label} for label in labels],
        "links": [_link(link) for link in found.get("links") or ()],
    }


def _told(result: Result) -> Body:
    fields = {
        "name": result.name,
        "namespace": result.namespace,
        "classname": result.classname,
        "title": result.title,
        "description": result.description,
    }
    return {name: value for name, value in fields.items() if value}


def _labels(result: Result) -> list[str]:
    layer = [f"{LAYER}{result.layer}"] if result.layer else []
    return list(dict.fromkeys([*result.labels, *layer]))


def _merged(found: Body, ours: Sequence[str]) -> list[str]:
    """Add our labels to those there; of a base that we name, our value is the one."""
    bases = {label.split(SCOPE)[0] for label in ours if SCOPE in label}
    names = [str(label["name"]) for label in found.get("labels") or ()]
    kept = [n for n in names if SCOPE not in n or n.split(SCOPE)[0] not in bases]
    return list(dict.fromkeys([*kept, *ours]))


def _steps(steps: Sequence[Body] | None) -> list[Body]:
    return [
        {
            "title": step["title"],
            "description": step.get("description"),
            "steps": _steps(step.get("steps")),
        }
        for step in steps or ()
    ]


def _link(link: Body) -> Body:
    known = {name: link.get(name) for name in ("id", "url", "title", "description")}
    return {**known, "type": link.get("type"), "hasInfo": bool(link.get("hasInfo"))}
