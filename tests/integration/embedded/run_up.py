"""Runs the real `up` over stub processes: start it in the folder `stub`, so they are found."""

import asyncio
import os
import sys

from syncsvc.embedded.ports import free_port
from syncsvc.embedded.tree import SandboxOptions, with_ports
from syncsvc.embedded.up import up
from syncsvc.errors import SyncsvcError
from syncsvc.settings import load


async def tell_story() -> int | None:
    code = os.environ.get("STUB_STORY_ENDS_WITH")
    return int(code) if code else None


def main() -> None:
    settings = with_ports(load())
    os.environ["STUB_FLOWER_SOCKET"] = str(settings.flower_socket)
    sandbox = SandboxOptions(port=free_port()) if "STUB_SANDBOX" in os.environ else None
    running = up(settings, sandbox=sandbox, as_json="--json" in sys.argv, after_ready=tell_story)
    try:
        sys.exit(asyncio.run(running))
    except SyncsvcError as error:
        sys.exit(str(error))


main()
