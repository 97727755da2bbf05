"""The lock file among real processes."""

import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from syncsvc.catalogue.locks.file import FileLock
from syncsvc.errors import Rejected, Unavailable
from tests.support.builders import NOON, Clock

HOLD = """
import asyncio, sys, time
from datetime import UTC, datetime
from pathlib import Path
from syncsvc.catalogue.locks.file import FileLock

lock = FileLock(Path(sys.argv[1]), lambda: datetime.now(UTC))
print(asyncio.run(lock.acquire("acme", "their-run")), flush=True)
time.sleep(60)
"""

Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "state" / "sync.lock"


@pytest.fixture
def file(path) -> Path:
    return path.with_name("sync-acme.lock")


@pytest.fixture
def lock(path) -> FileLock:
    return FileLock(path, Clock())


@pytest.fixture
def another_process(path) -> Iterator[Start]:
    """Starts processes that take the lock and keep it."""
    started = []

    def start() -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline().strip() == "1"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


async def test_while_a_process_lives_it_keeps_the_lock(lock, another_process, file):
    process = another_process()
    os.utime(file, (0, 0))  # however old

    assert await lock.acquire("acme", "our-run") is None
    assert str(process.pid) in await lock.holder("acme")
    assert "their-run" in await lock.holder("acme")


async def test_a_killed_process_gives_way_at_once_and_is_named(lock, another_process):
    process = another_process()
    process.send_signal(signal.SIGKILL)
    process.wait()

    with capture_logs() as logs:
        assert await lock.acquire("acme", "our-run") == 1

    (warning,) = logs
    assert warning["log_level"] == "warning"
    assert (warning["pid"], warning["left_by"]) == (process.pid, "their-run")
    assert warning["started"].startswith("20")


async def test_a_stopped_process_is_not_dead(lock, another_process):
    process = another_process()
    process.send_signal(signal.SIGSTOP)

    assert await lock.acquire("acme", "our-run") is None


async def test_who_looks_in_vain_leaves_the_file_as_it_is(lock, another_process, file):
    another_process()
    before = file.read_text()

    await lock.acquire("acme", "our-run")

    assert file.read_text() == before
    assert before.endswith("RUN: their-run\n")


async def test_the_file_names_process_start_and_run(lock, file):
    await lock.acquire("acme", "our-run")

    assert file.read_text() == f"PID: {os.getpid()}\nSTARTED: {NOON.isoformat()}\nRUN: our-run\n"


async def test_a_run_that_gave_it_back_is_not_taken_for_a_dead_one(lock, file):
    token = await lock.acquire("acme", "run-1")
    await lock.release("acme", "run-1", token)
    assert file.read_bytes() == b""

    with capture_logs() as logs:
        await lock.acquire("acme", "run-2")

    assert logs == []


async def test_nobody_is_named_who_has_died(lock, another_process):
    process = another_process()
    process.kill()
    process.wait()

    assert await lock.holder("acme") is None


async def test_what_a_file_says_that_is_no_note_does_not_matter(lock, file, path):
    path.parent.mkdir()
    file.write_bytes(b"\xff\xfe PID: 99999999999999999999\n")

    assert await lock.holder("acme") is None
    assert await lock.acquire("acme", "our-run") == 1


async def test_only_its_owner_may_read_it(lock, file):
    await lock.acquire("acme", "our-run")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_file_that_others_may_read_becomes_private(lock, file, path):
    path.parent.mkdir()
    file.touch(mode=0o644)

    await lock.acquire("acme", "our-run")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_link_is_refused_and_what_it_leads_to_is_left_alone(lock, file, path, tmp_path):
    path.parent.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    file.symlink_to(precious)

    with pytest.raises(Rejected, match="sync_lock_file: expected a plain file, found a link"):
        await lock.acquire("acme", "our-run")
    with pytest.raises(Rejected, match="found a link"):
        await lock.holder("acme")

    assert precious.read_text() == "keep me"


async def test_a_pipe_is_refused_without_waiting_for_its_other_end(lock, file, path):
    path.parent.mkdir()
    os.mkfifo(file)

    with pytest.raises(Rejected, match="expected a plain file, found something else"):
        await lock.acquire("acme", "our-run")


async def test_a_path_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "file").touch()
    lock = FileLock(tmp_path / "file" / "sync.lock", Clock())

    with pytest.raises(Unavailable, match=r"the lock file .* cannot be used: "):
        await lock.acquire("acme", "our-run")


async def test_a_file_that_was_removed_keeps_nobody_out_and_is_lost(lock, file, path):
    token = await lock.acquire("acme", "our-run")
    file.unlink()

    assert not await lock.renew("acme", "our-run", token)
    assert await FileLock(path, Clock()).acquire("acme", "their-run") == 1


async def test_a_note_that_cannot_be_written_frees_it(lock, path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(Unavailable, match="cannot be used: File too large"):
            await lock.acquire("acme", "our-run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert await FileLock(path, Clock()).acquire("acme", "their-run") == 1
