"""`syncsvc sandbox`: serve until interrupted."""

import asyncio
import signal
import socket
import sys

import msgspec

from syncsvc.sandbox.identities import CONFIGURATION_ID, KUBERNETES_TOKEN, PROJECT_ID, TESTIO_TOKEN
from syncsvc.sandbox.kubernetes.clusters import FIRST
from syncsvc.sandbox.replies import K8S
from syncsvc.sandbox.server import Address, NotLoopback, bind, serve
from syncsvc.sandbox.testio.routes import ROOT
from syncsvc.telemetry import announce_ready


def run(host: str, port: int, token: str, as_json: bool) -> None:  # noqa: FBT001  a CLI's switch
    """Serve a sandbox; what stands in the way is told in one line, with exit code 1."""
    try:
        listener = bind(host, port)
    except NotLoopback as error:
        sys.exit(f"syncsvc sandbox: {error}")
    except (OSError, OverflowError) as error:
        sys.exit(f"syncsvc sandbox: cannot listen on {host} port {port}: {error}")
    asyncio.run(_until_interrupted(listener, token, as_json=as_json))


async def _until_interrupted(listener: socket.socket, token: str, *, as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)

    def ready(address: Address) -> None:
        sys.stdout.write(announcement(address, token, as_json=as_json) + "\n")
        sys.stdout.flush()
        announce_ready()

    await serve(listener, token, ready=ready, stop=stop)


def announcement(address: Address, token: str, *, as_json: bool) -> str:
    """Say in one line what a client needs to know."""
    known = {
        "url": address.url,
        "project_id": str(PROJECT_ID),
        "configuration_id": str(CONFIGURATION_ID),
        "token": token,
        "page": f"{address.url}/",
        "testio_url": f"{address.url}{ROOT}",
        "testio_token": TESTIO_TOKEN,
        "kubernetes_url": f"{address.url}{K8S}{FIRST}",
        "kubernetes_token": KUBERNETES_TOKEN,
    }
    if as_json:
        return msgspec.json.encode(known).decode()
    return (
        f"sandbox ready: Test IT at {known['url']}, project {known['project_id']}, "
        f"configuration {known['configuration_id']}, token {token}, page {known['page']}; "
        f"TestIO at {known['testio_url']}, token {TESTIO_TOKEN}; "
        f"Kubernetes at {known['kubernetes_url']}, token {KUBERNETES_TOKEN}"
    )
