"""Sync Storage under load, beside a bare route of the same server in the same run.

    python benchmarks/gateway.py [--postgres URL]

64 connections, one request at a time on each, durable (SQLite in WAL mode with synchronous=FULL,
or PostgreSQL), rosters in an embedded Valkey, CPU that of gateway and Valkey together.

    hello      a bare route
    rush       /register by new workers of 50 runs in which nobody has begun yet (each is heir)
    begin      /set_worker_status
    register   /register by new workers of 50 runs whose master is at work
    cut        /in_progress_test_result, each committed before it is answered
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import msgspec

from benchmarks.load import Measured, get, measure, once, post
from syncsvc.embedded.valkey import configuration, find_server
from syncsvc.settings import load
from syncsvc.stores.sql.database import open_database
from syncsvc.stores.sql.migrate import migrate
from tests.support.waiting import until_connects

RUNS = 50
ROUNDS = 3


def register(number: int, run: str = "run") -> bytes:
    body = {
        "pid": f"worker-{number}-1795225145",
        "testRunId": f"{run}-{number % RUNS}",
        "baseUrl": "http://127.0.0.1:1",
        "privateToken": "token",
    }
    return post("/register", msgspec.json.encode(body))


def late(number: int) -> bytes:
    """Register in a run whose master is at work."""
    return register(number + RUNS, "busy")


def begin(number: int) -> bytes:
    """Say that the master of such a run has begun."""
    body = {"pid": f"worker-{number % RUNS}-1795225145", "testRunId": f"busy-{number % RUNS}"}
    return post("/set_worker_status", msgspec.json.encode({**body, "status": "in_progress"}))


def cut(number: int) -> bytes:
    body = {
        "projectId": "11111111-1111-1111-1111-111111111111",
        "autoTestExternalId": f"test-{number}",
        "statusType": "Succeeded",
        "statusCode": "passed",
        "startedOn": None,
    }
    path = f"/in_progress_test_result?testRunId=run-{number % RUNS}"
    return post(path, msgspec.json.encode(body))


def hello(_number: int) -> bytes:
    return get("/hello")


async def main(postgres: str | None) -> int:
    with tempfile.TemporaryDirectory(prefix="syncsvc-bench-") as name:
        folder = Path(name)
        environment = {
            "SYNCSVC_DATA_DIR": name,
            "SYNCSVC_REDIS_URL": f"unix://{folder / 's'}?db=0",
            "SYNCSVC_LOG_FORMAT": "json",
        }
        if postgres:
            environment["SYNCSVC_DATABASE_URL"] = postgres
        url = postgres or load(data_dir=folder).database
        database = open_database(url)
        await migrate(database)
        await database.close()
        conf = folder / "valkey.conf"
        conf.write_text(configuration(folder, folder / "s"))
        with subprocess.Popen([await find_server(load()), conf]) as valkey:
            until_connects(folder / "s")
            try:
                return await _measure_all(environment, folder, valkey.pid)
            finally:
                valkey.terminate()


async def _measure_all(environment: dict[str, str], folder: Path, valkey: int) -> int:
    argv = [sys.executable, "-m", "benchmarks.gateway_server"]
    log = (folder / "log").open("w")
    with subprocess.Popen(
        argv, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=log, text=True
    ) as gateway:
        assert gateway.stdout is not None
        bare, storage = map(int, gateway.stdout.readline().split())
        pids = [gateway.pid, valkey]
        failed = 0
        address = ("127.0.0.1", storage)
        await once("masters", address, partial(register, run="busy"), RUNS)
        await once("begin", address, begin, RUNS)
        for round_number in range(ROUNDS):
            loads = [
                ("hello", bare, hello),
                ("rush", storage, register),
                ("begin", storage, begin),
                ("register", storage, late),
                ("cut", storage, cut),
            ]
            measured = [
                await measure(name, ("127.0.0.1", port), request, pids=pids)
                for name, port, request in loads
            ]
            _print(measured, first=round_number == 0)
            failed += sum(one.failed for one in measured)
        gateway.terminate()
    log.close()
    return 1 if failed else 0


def _print(measured: list[Measured], *, first: bool) -> None:
    if first:
        print(f"{'':10} {'per s':>8} {'of hello':>9} {'CPU us':>8} {'x hello':>8} p50 ms p99 ms")
    hello_one = measured[0]
    for one in measured:
        print(
            f"{one.name:10} {one.per_second:8.0f} {one.per_second / hello_one.per_second:9.2f} "
            f"{one.cpu_us:8.0f} {one.cpu_us / hello_one.cpu_us:8.2f} "
            f"{one.p50_ms:6.1f} {one.p99_ms:6.1f}"
            + (f"  {one.failed} FAILED" if one.failed else "")
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", help="URL of an empty database to use instead of SQLite")
    sys.exit(asyncio.run(main(parser.parse_args().postgres)))
