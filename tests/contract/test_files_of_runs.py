"""What every home of attachments promises of the files that belong to a run itself."""

import hashlib
from datetime import timedelta

import pytest

from syncsvc.errors import Rejected, Unknown
from syncsvc.results.pushed.model import AttachmentRef, FileState, Phase
from syncsvc.results.pushed.ports import RunFile
from tests.support.builders import MINUTE, NOON, SECOND, push, pushed_result, run

TERM = timedelta(minutes=1)


@pytest.fixture(autouse=True)
async def open_run(push_home):
    await push_home[0].put(run())
    await push_home[1].open(push())


async def keep(files, content: bytes = b"report") -> str:
    async def pieces():
        yield content

    digest = hashlib.sha256(content).hexdigest()
    await files.keep("run", digest, pieces(), NOON)
    return digest


def named(digest: str, name: str = "report.html") -> AttachmentRef:
    return AttachmentRef(digest=digest, name=name)


async def test_a_file_waits_until_it_is_attached_or_refused(files):
    digests = sorted([await keep(files, b"a"), await keep(files, b"b")])

    noted = await files.attach("run", [named(each) for each in digests], NOON)
    await files.settled("run", digests[:1], FileState.ATTACHED, None)
    await files.settled("run", digests, FileState.REFUSED, "too large")

    assert noted == 2
    assert await files.of_run("run") == [
        RunFile(digests[0], "report.html", FileState.ATTACHED),
        RunFile(digests[1], "report.html", FileState.REFUSED, "too large"),
    ]


async def test_attaching_it_again_changes_nothing_unless_it_was_refused(files):
    digest = await keep(files)
    await files.attach("run", [named(digest)], NOON)

    assert await files.attach("run", [named(digest, "other")], NOON) == 0
    await files.settled("run", [digest], FileState.REFUSED, "no")
    assert await files.attach("run", [named(digest, "other")], NOON) == 1

    assert await files.of_run("run") == [RunFile(digest, "report.html")]


async def test_a_file_the_run_does_not_have_is_refused_and_none_is_noted(files):
    digest = await keep(files)

    with pytest.raises(Rejected, match="upload it first"):
        await files.attach("run", [named(digest), named("0" * 64)], NOON)
    with pytest.raises(Unknown):
        await files.attach("nowhere", [named(digest)], NOON)

    assert await files.of_run("run") == []


async def test_a_run_with_a_waiting_file_is_not_ended(pushed, files):
    await pushed.ask_complete("run", NOON)
    claimed, _ = await pushed.claim_ending(NOON, TERM, NOON)
    await files.attach("run", [named(await keep(files))], NOON)

    assert not await pushed.ended("run", claimed.accepted_at, NOON)
    assert (await pushed.push("run")).phase is Phase.NEW


async def test_a_completed_run_is_ended_again_for_its_file_though_nobody_asked(pushed, files):
    digest = await keep(files)
    assert await pushed.ended("run", NOON, NOON)

    await files.attach("run", [named(digest)], NOON + SECOND)
    ending = await pushed.claim_ending(NOON + SECOND, TERM, NOON)

    assert ending is not None
    assert (ending[0].phase, ending[0].completed_at) == (Phase.NEW, None)
    assert ending[0].accepted_at == NOON + SECOND


async def test_a_batch_says_that_a_file_waits_so_that_it_does_not_close_the_run(pushed, files):
    await pushed.accept("run", [pushed_result()], NOON)
    await files.attach("run", [named(await keep(files))], NOON)

    assert (await pushed.claim(NOON, TERM, 100)).more


async def test_a_waiting_file_is_not_forgotten_and_an_attached_one_is(pushed, files):
    digest = await keep(files)
    await files.attach("run", [named(digest)], NOON)

    await pushed.forget(NOON + MINUTE)
    assert digest in await files.find("run", [digest])
    await files.settled("run", [digest], FileState.ATTACHED, None)
    await pushed.forget(NOON + MINUTE)

    assert await files.find("run", [digest]) == {}
    assert await files.of_run("run") == []
