"""Stands in for `python -m syncsvc COMMAND`, and misbehaves where STUB_... names the command."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

COMMAND = sys.argv[1]


def asked_to(misbehave: str) -> bool:
    return COMMAND in os.environ.get(f"STUB_{misbehave}", "").split(",")


def leave(number: int, _frame: object) -> None:
    print(f"{COMMAND} leaves on {signal.Signals(number).name}", flush=True)
    if not asked_to("IGNORES_SIGNALS"):
        os._exit(0)


def serve() -> None:
    if COMMAND == "flower":
        Path(os.environ["STUB_FLOWER_SOCKET"]).unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX)
        server.bind(os.environ["STUB_FLOWER_SOCKET"])
        server.listen()
    else:
        Path(os.environ["SYNCSVC_READY_FILE"]).touch()
    while True:
        if asked_to("CHATTERS"):
            print("x" * 1000, flush=True)
        else:
            signal.pause()


if asked_to("FAILS"):
    sys.exit(f"{COMMAND} finds no snowdrops")
if COMMAND == "migrate":
    sys.exit(0)
if asked_to("HAS_OFFSPRING"):
    print(f"offspring {subprocess.Popen(['sleep', '60']).pid}", flush=True)
for handled in (signal.SIGTERM, signal.SIGQUIT):
    signal.signal(handled, leave)
serve()
