"""What published Python and JavaScript adapters said to a stack of ours, as data."""

import json
from pathlib import Path
from typing import Any

from tests.protocol.clients.replay import Request, Session

RECORDINGS = Path(__file__).parent / "recordings"


def recorded(file: str) -> list[Session]:
    """Give the sessions of a file of recordings."""
    return [_session(each) for each in json.loads((RECORDINGS / file).read_text())]


def _session(said: dict[str, Any]) -> Session:
    requests = [
        Request(each["connection"], tuple(each["head"]), each["body"]) for each in said["requests"]
    ]
    return Session(said["client"], said["headers"], tuple(requests))


PYTHON = recorded("python.json")
JAVASCRIPT = recorded("javascript.json")
