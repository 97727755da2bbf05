"""Files go to Test IT piece by piece, with their size told before."""

from collections.abc import AsyncIterator
from hashlib import sha256

import pytest

from syncsvc.errors import Rejected, TooLarge, Unavailable, Uncertain, Unknown
from tests.protocol.testit_client.client import Client, post, result

PIECE = b"\x00\r\n--piece" * 6000


async def pieces(number: int, piece: bytes = PIECE) -> AsyncIterator[bytes]:
    for _ in range(number):
        yield piece


async def stored(client: Client) -> list[dict]:
    return (await client.arrange("GET", "/__sandbox__/state"))["attachments"]


async def test_a_file_arrives_as_it_is_and_a_result_may_name_it(client: Client, surface: str):
    run = await client.new_run()

    file = await client.pushes.upload(run, "log.txt", 20 * len(PIECE), pieces(20))
    (shown,) = await client.push(run, post("1", result("a"), files=(file,)))

    (kept,) = await stored(client)
    assert (kept["id"], kept["name"], kept["size"]) == (file, "log.txt", 20 * len(PIECE))
    assert kept["sha256"] == sha256(PIECE * 20).hexdigest()
    assert [each["id"] for each in (await client.result(shown))["attachments"]] == [file]
    upload = next(r for r in client.sent if r.url.path.endswith("/attachments"))
    assert upload.url.path == f"{surface}/attachments"
    assert int(upload.headers["content-length"]) > 20 * len(PIECE)
    assert "transfer-encoding" not in upload.headers


@pytest.mark.parametrize("name", ["отчёт.txt", 'a "quoted" one.txt', "no type", "a\r\nX: y.txt"])
async def test_a_name_of_any_kind_is_kept_within_its_header(client: Client, name: str):
    run = await client.new_run()

    await client.pushes.upload(run, name, 1, pieces(1, b"x"))

    (kept,) = await stored(client)
    assert kept["name"] == name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    assert kept["size"] == 1


async def test_an_empty_file_is_a_file(client: Client):
    run = await client.new_run()

    await client.pushes.upload(run, "empty", 0, pieces(0))

    assert (await stored(client))[0]["size"] == 0


@pytest.mark.parametrize("found", [1, 3])
async def test_a_content_of_another_length_is_rejected_and_not_stored(client: Client, found: int):
    run = await client.new_run()

    with pytest.raises(Rejected, match="attachment f: expected 2 bytes"):
        await client.pushes.upload(run, "f", 2, pieces(found, b"x"))

    assert await stored(client) == []


async def test_a_file_over_test_its_limit_is_not_sent(client: Client):
    with pytest.raises(TooLarge, match="at most 52428800"):
        await client.pushes.upload(client.a_run("any"), "f", 52_428_801, pieces(1))

    assert client.sent == []


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "code": 503}, {"kind": "reset"}, {"kind": "hang", "seconds": 5}]
)
async def test_an_upload_that_failed_may_be_tried_again(client: Client, fault: dict):
    run = await client.new_run()
    await client.pushes.run_info(run)
    await client.faults({"method": "POST", "pattern": "attachments$", "times": 1, **fault})

    with client.impatient(), pytest.raises(Unavailable) as raised:
        await client.pushes.upload(run, "f", 3, pieces(1, b"abc"))
    file = await client.pushes.upload(run, "f", 3, pieces(1, b"abc"))

    assert not isinstance(raised.value, Uncertain)
    assert file in [each["id"] for each in await stored(client)]


async def test_files_are_attached_to_a_run_beside_what_it_has(client: Client):
    link = {"url": "https://ci.example/7", "title": "job", "type": "Defect", "hasInfo": False}
    run = await client.new_run(
        name="nightly", description="of the night", tags=["smoke"], links=[link], launchSource="ci"
    )
    before = await client.shown_run(run)
    first = await client.pushes.upload(run, "a.txt", 1, pieces(1, b"x"))
    second = await client.pushes.upload(run, "b.txt", 1, pieces(1, b"y"))

    await client.pushes.attach(run, [first])
    await client.pushes.attach(run, [first, second])

    shown = await client.shown_run(run)
    assert [each["id"] for each in shown["attachments"]] == [first, second]
    kept = ("name", "description", "tags", "links", "stateName", "launchSource")
    assert [shown[each] for each in kept] == [before[each] for each in kept]
    assert len(before["links"]) == 1


async def test_a_file_that_the_run_has_is_not_written_again(client: Client):
    run = await client.new_run()
    file = await client.pushes.upload(run, "a.txt", 1, pieces(1, b"x"))
    await client.pushes.attach(run, [file])
    client.sent.clear()

    await client.pushes.attach(run, [file])

    assert [request.method for request in client.sent] == ["GET"]


async def test_a_run_that_is_gone_gets_no_file(client: Client):
    gone = client.a_run("00000000-0000-4000-8000-000000000000")

    with pytest.raises(Unknown):
        await client.pushes.attach(gone, ["00000000-0000-4000-8000-000000000001"])
