"""`syncsvc testit stuck` against a Test IT that keeps results in progress."""

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass

import pytest

from syncsvc.sandbox.identities import TOKEN
from tests.protocol.sandbox.world import a_world, report


@pytest.fixture
async def world():
    async with a_world() as world:
        yield world


@dataclass(frozen=True)
class Ended:
    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def stuck(world, tmp_path, valkey_url, migrated):
    shutil.copy(migrated, tmp_path / "syncsvc.db")
    settings = {
        "SYNCSVC_CONFIG": os.devnull,
        "SYNCSVC_DATA_DIR": str(tmp_path),
        "SYNCSVC_REDIS_URL": valkey_url,
        "TMS_PRIVATE_TOKEN": TOKEN,
    }

    async def command(*arguments: str, answer: str = "") -> Ended:
        line = ["-m", "syncsvc", "testit", "stuck", *arguments, "--url", world.url]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *line,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **settings},
        )
        said, complained = await asyncio.wait_for(process.communicate(answer.encode()), 100)
        return Ended(process.returncode, said.decode(), complained.decode())

    return command


async def left_open(world, **more):
    await world.autotests("a")
    run = await world.run()
    await world.send(run, report("a", "InProgress", **more))
    return run


async def test_what_is_in_progress_is_listed_and_the_exit_code_says_so(world, stuck):
    run = await left_open(world)

    listed = await stuck(run, "--json")

    (shown,) = json.loads(listed.stdout)
    assert (listed.exit_code, shown["external_id"], shown["known"]) == (1, "a", "not ours")
    assert (await world.seen(run))["state"] == "InProgress"


async def test_a_chosen_status_finishes_it_and_the_run_closes(world, stuck):
    run = await left_open(world)

    fixed = await stuck(run, "--fix", "--status", "blocked", "--yes", "--json")

    (shown,) = json.loads(fixed.stdout)
    seen = await world.seen(run)
    assert (fixed.exit_code, shown["fixed"], shown["why"]) == (0, "Incomplete", "as chosen")
    assert (seen["state"], seen["results"][0]["status"]) == ("Completed", "Incomplete")
    assert (await stuck(run)).exit_code == 0


async def test_nothing_is_written_unless_a_person_agrees(world, stuck):
    run = await left_open(world, traces="boom")

    refused = await stuck(run, "--fix", answer="n\n")
    agreed = await stuck(run, "--fix", answer="y\n")

    assert (refused.exit_code, agreed.exit_code) == (1, 0)
    assert "it has traces of a failure" in agreed.stdout


async def test_with_nobody_to_ask_it_says_how_to_agree_and_writes_nothing(world, stuck):
    run = await left_open(world, traces="boom")

    refused = await stuck(run, "--fix")

    assert (refused.exit_code, "use --yes" in refused.stderr) == (2, True)
    assert "Aborted" not in refused.stderr
    assert (await world.seen(run))["state"] == "InProgress"


async def test_what_nothing_tells_of_is_left_and_said(world, stuck):
    run = await left_open(world)

    left = await stuck(run, "--fix", "--yes")

    assert left.exit_code == 1
    assert "choose with --status" in left.stdout
