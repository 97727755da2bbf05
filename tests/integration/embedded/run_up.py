"""Runs the real `up` over stub processes: start it in the folder `stub`, so they are found."""

import asyncio
import os
import signal
import sys

from syncsvc.embedded.tree import SandboxOptions, with_ports
from syncsvc.embedded.up import up
from syncsvc.errors import SyncsvcError
from syncsvc.settings import load


async def tell_story() -> int | None:
    code = os.environ.get("STUB_STORY_ENDS_WITH")
    return int(code) if code else None


def main() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup
    settings = with_ports(load())
    os.environ["STUB_FLOWER_SOCKET"] = str(settings.flower_socket)
    port = os.environ.get("STUB_SANDBOX")
    sandbox = SandboxOptions(port=int(port)) if port else None
    running = up(settings, sandbox=sandbox, as_json="--json" in sys.argv, after_ready=tell_story)
    try:
        sys.exit(asyncio.run(running))
    except SyncsvcError as error:
        sys.exit(str(error))


main()
