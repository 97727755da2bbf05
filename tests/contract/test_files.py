"""What every home of attachments promises."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from syncsvc.errors import Rejected, TooLarge, Unavailable, Unknown
from syncsvc.results.held.model import EntryState
from tests.support.builders import MINUTE, NOON, SECOND, push, pushed_result, run

LARGE = b"0123456789" * 30_000  # more than one piece


@pytest.fixture(autouse=True)
async def open_runs(push_home):
    for name in ("run", "other"):
        await push_home[0].put(run(name))
        await push_home[1].open(push(name))


async def chunks(content: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    for first in range(0, len(content), size):
        yield content[first : first + size]


async def breaking(content: bytes) -> AsyncIterator[bytes]:
    yield content
    raise ConnectionResetError("the client went away")


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def keep(files, content: bytes, run_id: str = "run", now=NOON):
    return await files.keep(run_id, digest_of(content), chunks(content), now)


async def read(files, content: bytes, run_id: str = "run") -> bytes:
    return b"".join([piece async for piece in files.content(run_id, digest_of(content))])


async def fill(files, content: bytes = LARGE) -> None:
    """Store files until another of that size would pass the quota."""
    for number in range(3):
        await keep(files, bytes([number]) + content[1:])


@pytest.mark.parametrize("content", [b"", b"small", LARGE])
async def test_a_file_comes_back_as_it_was_sent(files, content):
    upload = await keep(files, content)

    assert (upload.size, upload.attachment_id) == (len(content), None)
    assert await read(files, content) == content


async def test_a_run_has_only_its_own_files(files):
    await keep(files, b"mine")

    assert list(await files.find("run", [digest_of(b"mine"), "0" * 64])) == [digest_of(b"mine")]
    assert await files.find("other", [digest_of(b"mine")]) == {}
    with pytest.raises(Unknown):
        await read(files, b"mine", "other")


async def test_a_file_that_the_run_has_is_not_stored_again(files):
    first = await keep(files, b"same")

    again = await files.keep("run", digest_of(b"same"), breaking(b""), NOON)

    assert again == first


async def test_the_same_file_sent_twice_at_once_is_stored_once(files):
    uploads = await asyncio.gather(keep(files, LARGE), keep(files, LARGE))

    assert uploads[0] == uploads[1]
    assert await read(files, LARGE) == LARGE
    for number in range(2):  # so only one of them counts
        await keep(files, bytes([number]) + LARGE[1:])


async def test_a_run_without_a_push_takes_no_files(files):
    with pytest.raises(Unknown, match="'stranger'"):
        await keep(files, b"any", "stranger")


async def test_content_with_another_digest_is_refused_and_nothing_remains(files):
    for _ in range(5):  # more than the quota, if any of them stayed
        with pytest.raises(Rejected, match=f"expected {digest_of(LARGE)}"):
            await files.keep("run", "0" * 64, chunks(LARGE), NOON)

    assert await files.find("run", ["0" * 64]) == {}
    await fill(files)


async def test_of_a_broken_stream_nothing_remains(files):
    for _ in range(5):
        with pytest.raises(ConnectionResetError):
            await files.keep("run", digest_of(LARGE), breaking(LARGE), NOON)

    assert await files.find("run", [digest_of(LARGE)]) == {}
    await fill(files)


async def test_of_an_upload_that_is_cancelled_nothing_remains(files):
    begun, never = asyncio.Event(), asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        yield LARGE
        begun.set()
        await never.wait()

    upload = asyncio.create_task(files.keep("run", digest_of(LARGE), hanging(), NOON))
    await begun.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload

    await fill(files)


async def test_a_file_over_the_limit_is_refused(files):
    with pytest.raises(TooLarge, match="at most 400000 bytes"):
        await keep(files, LARGE * 2)


async def test_files_over_the_quota_are_refused_until_others_are_uploaded(files):
    await fill(files)
    with pytest.raises(TooLarge, match="at most 1000000 bytes"):
        await keep(files, LARGE, "other")

    await files.uploaded("run", digest_of(bytes([0]) + LARGE[1:]), "id in Test IT")

    await keep(files, LARGE, "other")


async def test_an_uploaded_file_is_known_without_its_content(files):
    await keep(files, b"file")

    await files.uploaded("run", digest_of(b"file"), "id in Test IT")

    found = await files.find("run", [digest_of(b"file")])
    assert found[digest_of(b"file")].attachment_id == "id in Test IT"
    assert (await keep(files, b"file")).attachment_id == "id in Test IT"
    with pytest.raises(Unavailable, match="look again"):
        await read(files, b"file")


async def deliver_with_file(pushed, files, content: bytes) -> None:
    await keep(files, content)
    await pushed.accept("run", [pushed_result(files=[digest_of(content)])], NOON)
    batch = await pushed.claim(NOON, MINUTE, 10)
    await pushed.settle({batch.entries[0].id: None}, EntryState.DELIVERED, NOON, None)


async def test_a_file_is_forgotten_with_the_last_result_that_names_it(pushed, files):
    await deliver_with_file(pushed, files, b"file")

    await pushed.forget(NOON)
    assert await files.find("run", [digest_of(b"file")])

    await pushed.forget(NOON + SECOND)
    assert await files.find("run", [digest_of(b"file")]) == {}


async def test_a_file_that_an_open_result_names_is_not_forgotten(pushed, files):
    await deliver_with_file(pushed, files, b"file")
    await pushed.accept("run", [pushed_result(files=[digest_of(b"file")])], NOON)

    assert await pushed.forget(NOON + MINUTE) == 1

    assert await read(files, b"file") == b"file"


async def test_a_file_that_nobody_ever_named_is_forgotten(pushed, files):
    await keep(files, b"old")
    await keep(files, b"new", now=NOON + MINUTE)

    await pushed.forget(NOON + SECOND)

    assert list(await files.find("run", [digest_of(b"old"), digest_of(b"new")])) == [
        digest_of(b"new")
    ]
