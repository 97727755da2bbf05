"""A run as it is written back: an update replaces everything but the state."""

from collections.abc import Collection
from typing import Any

Body = dict[str, Any]

LINK = ("id", "title", "url", "description", "type", "hasInfo")
UNNAMED = "Test run"  # Test IT gives every run a name; an update without one is refused


def with_files(run: Body, attachment_ids: Collection[str]) -> Body | None:
    """Give the update that adds files to what the run has; None when it has them all."""
    present = [str(each["id"]) for each in run.get("attachments") or ()]
    added = [each for each in dict.fromkeys(attachment_ids) if each not in present]
    if not added:
        return None
    return {
        "id": run["id"],
        "name": run.get("name") or UNNAMED,
        "description": run.get("description"),
        "launchSource": run.get("launchSource"),
        "attachments": [{"id": each} for each in [*present, *added]],
        "links": [_link(link) for link in run.get("links") or ()],
        "tags": list(run.get("tags") or ()),
    }


def _link(link: Body) -> Body:
    known = {name: link[name] for name in LINK if link.get(name) is not None}
    return {"type": "Related", "hasInfo": False, **known}
