"""Files of a run itself are attached before it ends, each once, whatever goes wrong."""

import hashlib

import pytest

from syncsvc.errors import Denied, Rejected, Unavailable, Unknown
from syncsvc.results.pushed.model import AttachmentRef, FileState, Phase
from tests.support.builders import MINUTE
from tests.support.pushed import TERMS, Fate


async def attach(house, *names: str) -> None:
    for name in names:
        digest = hashlib.sha256(name.encode()).hexdigest()

        async def pieces(content: bytes = name.encode()):
            yield content

        await house.files.keep("run", digest, pieces(), house.clock())
        await house.files.attach("run", [AttachmentRef(digest=digest, name=name)], house.clock())


async def states(house) -> dict[str, FileState]:
    return {file.name: file.state for file in await house.files.of_run("run")}


def attached(house) -> set[bytes]:
    return {house.board.uploads[each] for each in house.board.runs["run"].files}


async def test_they_are_attached_before_the_run_closes(open_house):
    await attach(open_house, "a", "b")
    await open_house.complete()

    await open_house.tick()

    assert attached(open_house) == {b"a", b"b"}
    assert await states(open_house) == {"a": FileState.ATTACHED, "b": FileState.ATTACHED}
    assert open_house.board.calls[:4] == ["upload", "upload", "attach", "finalise"]
    assert (await open_house.outbox.push("run")).phase is Phase.COMPLETED


async def test_a_run_delivered_in_one_batch_stays_open_for_its_files(house):
    await house.accept("only")
    await attach(house, "a")
    await house.complete()

    await house.tick()

    assert house.board.posts[0][0].provisional
    assert house.board.calls.index("attach") < house.board.calls.index("finalise")
    assert house.board.shows() == {"only": "Succeeded"}


@pytest.mark.parametrize("step", ["upload", "attach"])
@pytest.mark.parametrize("fate", [Fate.REFUSED, Fate.UNHEARD])
async def test_what_fails_is_tried_again_and_the_run_waits(open_house, step, fate):
    await attach(open_house, "a")
    await open_house.complete()
    open_house.board.fate = lambda call: fate if call == step else Fate.WELL

    await open_house.tick()
    assert open_house.board.shows() == {"opener": "InProgress"}
    open_house.board.fate = lambda _call: Fate.WELL
    await open_house.tick(MINUTE)

    assert attached(open_house) == {b"a"}
    assert len(open_house.board.runs["run"].files) == 1
    assert open_house.board.shows() == {"opener": "Succeeded"}


async def test_an_uploaded_file_is_not_uploaded_again(open_house):
    await attach(open_house, "a")
    await open_house.complete()
    open_house.board.fate = lambda call: Fate.REFUSED if call == "attach" else Fate.WELL
    await open_house.tick()

    open_house.board.fate = lambda _call: Fate.WELL
    await open_house.tick(MINUTE)

    assert open_house.board.calls.count("upload") == 1


async def test_a_file_that_test_it_refuses_is_told_and_the_run_ends_with_the_others(open_house):
    open_house.board.bad_files.add("bad")
    await attach(open_house, "bad", "good")
    await open_house.complete()

    await open_house.tick()

    assert attached(open_house) == {b"good"}
    assert await states(open_house) == {"bad": FileState.REFUSED, "good": FileState.ATTACHED}
    assert open_house.board.shows() == {"opener": "Succeeded"}


async def test_a_run_that_cannot_be_changed_ends_without_them(open_house):
    open_house.board.refuses_files = True
    await attach(open_house, "a")
    await open_house.complete()

    await open_house.tick()

    (file,) = await open_house.files.of_run("run")
    assert (file.state, file.reason) == (FileState.REFUSED, "the run cannot be changed")
    assert open_house.board.shows() == {"opener": "Succeeded"}


async def test_a_file_given_to_a_completed_run_is_attached_at_once(open_house):
    await open_house.complete()
    await open_house.tick()
    assert (await open_house.outbox.push("run")).phase is Phase.COMPLETED

    await attach(open_house, "late")
    await open_house.tick()

    assert attached(open_house) == {b"late"}
    assert "complete_run" not in open_house.board.calls
    assert (await open_house.outbox.push("run")).phase is Phase.COMPLETED


@pytest.mark.parametrize("error", [Denied("no token"), Unavailable("503")])
async def test_what_never_passes_is_given_up_with_the_run(open_house, error):
    await attach(open_house, "a")
    await open_house.complete()
    open_house.board.fate = lambda call: error if call == "upload" else Fate.WELL

    await open_house.tick(TERMS.give_up_after)

    (file,) = await open_house.files.of_run("run")
    assert (file.state, file.reason) == (FileState.REFUSED, str(error))
    assert (await open_house.outbox.push("run")).phase is Phase.COMPLETED


async def test_a_run_that_is_gone_gives_its_files_up(open_house):
    await attach(open_house, "a")
    await open_house.complete()
    open_house.board.fate = lambda call: Unknown("404") if call == "attach" else Fate.WELL

    await open_house.tick()

    assert await states(open_house) == {"a": FileState.REFUSED}


async def test_a_refusal_of_one_kind_is_no_reason_to_lose_the_others(open_house):
    await attach(open_house, "a")
    await open_house.complete()
    open_house.board.fate = lambda call: Rejected("422") if call == "attach" else Fate.WELL
    await open_house.tick()

    open_house.board.fate = lambda _call: Fate.WELL
    await attach(open_house, "a", "b")
    await open_house.tick()

    assert attached(open_house) == {b"a", b"b"}
