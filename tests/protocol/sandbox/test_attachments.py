"""Attachments are measured, and their content is kept for a while."""

from hashlib import sha256
from uuid import uuid4

import pytest

from syncsvc.sandbox.testit.attachment_routes import MOST
from tests.protocol.sandbox.world import report

CONTENT = b"line\r\n--not a boundary\r\n\r\nline" * 10


async def upload(world, surface, content=CONTENT):
    files = {"file": ("log ü.txt", content, "text/plain")}
    return await world.http.post(f"{surface}/attachments", files=files)


@pytest.mark.parametrize("surface", ["/api/v2", "/adapters"])
async def test_an_upload_is_described(world, surface):
    reply = await upload(world, surface)

    shown = reply.json()
    assert reply.status_code == 201
    assert (shown["size"], shown["type"]) == (len(CONTENT), "text/plain")


async def test_the_digest_of_an_upload_proves_its_content(world):
    await upload(world, "/adapters")

    state = await world.ask("GET", "/__sandbox__/state")

    assert [each["sha256"] for each in state["attachments"]] == [sha256(CONTENT).hexdigest()]


async def test_several_files_come_in_one_form(world):
    files = [("files", (f"{number}.txt", b"x", "text/plain")) for number in range(3)]

    reply = await world.http.post("/adapters/attachments/bulk", files=files)

    assert [each["name"] for each in reply.json()] == ["0.txt", "1.txt", "2.txt"]


async def test_a_result_shows_its_attachments_and_those_of_its_steps(world):
    await world.autotests("a")
    run = await world.run()
    uploaded = {"id": (await upload(world, "/adapters")).json()["id"]}
    steps = [{"title": "s", "attachments": [uploaded]}]

    [result] = await world.send(run, report("a", attachments=[uploaded], stepResults=steps))

    shown = await world.result(result)
    assert shown["attachments"][0]["id"] == uploaded["id"]
    assert shown["autoTestStepResults"][0]["attachments"][0]["size"] == len(CONTENT)


async def test_an_upload_is_found_again(world):
    uploaded = (await upload(world, "/api/v2")).json()

    assert await world.ask("GET", f"/api/v2/attachments/{uploaded['id']}/metadata") == uploaded


async def test_what_was_never_uploaded_is_not_found(world):
    assert (await world.http.get(f"/api/v2/attachments/{uuid4()}/metadata")).status_code == 404


async def test_a_file_beyond_the_limit_is_refused(world):
    reply = await upload(world, "/api/v2", bytes(MOST + 1))

    assert reply.status_code == 400
    assert list(reply.json()["errors"]) == ["file"]


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
    ],
)
async def test_a_body_without_a_file_is_refused(world, content_type, content):
    reply = await world.http.post(
        "/adapters/attachments", content=content, headers={"Content-Type": content_type}
    )

    assert reply.status_code == 400


async def test_the_content_of_an_upload_is_given_back(world):
    uploaded = (await upload(world, "/adapters")).json()

    reply = await world.http.get(f"/api/v2/attachments/{uploaded['id']}")

    assert reply.content == CONTENT
    assert reply.headers["Content-Type"].startswith("text/plain")


async def test_the_state_shows_the_digests_of_what_a_result_refers_to(world):
    await world.autotests("a")
    run = await world.run()
    uploaded = {"id": (await upload(world, "/adapters")).json()["id"]}
    steps = [{"title": "s", "attachments": [uploaded]}]

    await world.send(run, report("a", attachments=[uploaded], setupResults=steps))

    [result] = (await world.seen(run))["results"]
    assert result["digests"] == [sha256(CONTENT).hexdigest()] * 2
