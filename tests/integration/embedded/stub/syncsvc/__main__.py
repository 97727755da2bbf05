"""Stands in for `python -m syncsvc COMMAND`, and misbehaves where STUB_... names the command."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

COMMAND = sys.argv[1]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def asked_to(misbehave: str) -> bool:
    return COMMAND in os.environ.get(f"STUB_{misbehave}", "").split(",")


def leave(number: int, _frame: object) -> None:
    say(f"{COMMAND} leaves on {signal.Signals(number).name}")
    if not asked_to("IGNORES_SIGNALS"):
        os._exit(0)


def open_door() -> socket.socket | None:
    """Become ready in the way that is expected of this command."""
    if COMMAND == "flower":
        Path(os.environ["STUB_FLOWER_SOCKET"]).unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX)
        server.bind(os.environ["STUB_FLOWER_SOCKET"])
        server.listen()
        return server
    if COMMAND == "sandbox":
        return socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])))
    Path(os.environ["SYNCSVC_READY_FILE"]).touch()
    return None


def serve() -> None:
    door = open_door()
    while door is None or door.fileno():
        if asked_to("CHATTERS"):
            say("x" * 1000)
        else:
            signal.pause()


if asked_to("FAILS"):
    sys.exit(f"{COMMAND} finds no snowdrops")
if COMMAND == "migrate":
    sys.exit(0)
if asked_to("HAS_OFFSPRING"):
    say(f"offspring {subprocess.Popen(['sleep', '60']).pid}")
for handled in (signal.SIGTERM, signal.SIGQUIT):
    signal.signal(handled, leave)
serve()
