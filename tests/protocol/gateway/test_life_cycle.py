"""Workers that end without a word, share an id, or go on after they have completed."""

import asyncio
import sys
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.support.plain_http import plain_http
from tests.support.waiting import until

DOTNET = {"User-Agent": "OpenAPI-Generator/1.0.0/csharp"}
JS = {"User-Agent": "OpenAPI-Generator/0.1.0/Javascript", "Connection": "close"}

NODE = """
import http.client, json, os, sys
port, run = int(sys.argv[1]), sys.argv[2]
body = {"pid": f"worker-{os.getpid()}-1795225145000", "testRunId": run}
connection = http.client.HTTPConnection("127.0.0.1", port)
connection.request("POST", "/register", json.dumps(body), {"Connection": "close"})
connection.getresponse().read()
print(body["pid"], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def run_id(tmp_path) -> str:
    return f"run-{tmp_path.name}-{id(tmp_path)}"


async def say(client, path, worker, run_id, **more):
    answer = await client.post(path, json={"pid": worker, "testRunId": run_id, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def workers(api, run_id):
    shown = (await api.get(f"/api/v1/runs/{run_id}")).json()["workers"]
    return {worker["name"]: worker["status"] for worker in shown}


@asynccontextmanager
async def adapter(gateway, headers):
    """Be an adapter with a connection of its own."""
    url = f"http://127.0.0.1:{gateway.sync_storage_port}"
    async with plain_http(url, headers=headers, timeout=60) as client:
        yield client


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc")
async def test_a_worker_whose_process_was_killed_has_completed(gateway, api, run_id):
    node = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        NODE,
        str(gateway.sync_storage_port),
        run_id,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    worker = (await asyncio.wait_for(node.stdout.readline(), 60)).decode().strip()
    assert await workers(api, run_id) == {worker: "registered"}

    node.kill()
    await node.wait()

    url = f"http://127.0.0.1:{gateway.api_port}/api/v1/runs/{run_id}"
    await asyncio.to_thread(
        until,
        lambda: (
            httpx.get(url, trust_env=False, timeout=60).json()["workers"][0]["status"]
            == "completed"
        ),
        "the worker has completed",
    )


async def test_an_id_that_names_a_process_which_is_not_the_caller_says_nothing(
    gateway, storage, run_id
):
    await say(storage, "/register", "worker-1-1795225145000", run_id)

    assert gateway._processes._watched == {}


async def test_two_processes_with_one_id_are_done_only_when_both_are(gateway, api, run_id):
    async with adapter(gateway, DOTNET) as one, adapter(gateway, DOTNET) as two:
        for each in (one, two):
            await say(each, "/register", "worker-1-1795225145", run_id)
            await say(
                each, "/set_worker_status", "worker-1-1795225145", run_id, status="in_progress"
            )
        for _ in range(2):  # once at the assembly's end, once at the process's
            await say(one, "/set_worker_status", "worker-1-1795225145", run_id, status="completed")
        halfway = sorted((await workers(api, run_id)).values())
        await say(two, "/set_worker_status", "worker-1-1795225145", run_id, status="completed")

    assert halfway == ["completed", "in_progress"]
    assert set((await workers(api, run_id)).values()) == {"completed"}


async def test_a_registration_that_js_repeats_is_one_worker(gateway, api, run_id):
    async with adapter(gateway, JS) as node:
        for _ in range(3):
            await say(node, "/register", "worker-4711-1795225145000", run_id)

    assert await workers(api, run_id) == {"worker-4711-1795225145000": "registered"}


async def test_a_file_of_js_that_comes_after_all_completed_may_hold_again(gateway, run_id):
    async with adapter(gateway, JS) as node:
        await say(node, "/register", "worker-1-1795225145000", run_id)
        await say(node, "/set_worker_status", "worker-1-1795225145000", run_id, status="completed")

        told = await say(node, "/register", "worker-2-1795225146000", run_id)

    assert told["is_master"] is True
