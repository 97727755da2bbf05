"""Who may ask, and what is said to a request that makes no sense."""

import pytest

from syncsvc.sandbox.bodies import JSON_LIMIT
from syncsvc.sandbox.identities import PROJECT_ID
from tests.protocol.sandbox.world import autotest


@pytest.mark.parametrize("given", [None, "", "PrivateToken wrong", "Bearer sandbox"])
@pytest.mark.parametrize("surface", ["/api/v2", "/adapters"])
async def test_without_the_token_nobody_is_served(world, given, surface):
    world.http.headers.pop("Authorization")
    headers = {} if given is None else {"Authorization": given}

    reply = await world.http.get(f"{surface}/projects/{PROJECT_ID}", headers=headers)

    assert (reply.status_code, reply.json()["title"]) == (401, "Unauthorized")


async def test_a_path_that_does_not_exist_is_a_problem_too(world):
    reply = await world.http.get("/api/v2/nonsense")

    assert (reply.status_code, reply.json()["status"]) == (404, 404)


async def test_a_method_that_a_path_does_not_know_is_a_problem_too(world):
    reply = await world.http.delete("/api/v2/testRuns")

    assert (reply.status_code, reply.json()["title"]) == (405, "Method Not Allowed")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"null", b"5", b"[" * 50_000])
@pytest.mark.parametrize(
    "path", ["/api/v2/testRuns", "/adapters/autoTests/bulk", "/api/v2/testResults/search"]
)
async def test_a_body_that_is_not_the_right_json_is_a_bad_request(world, path, body):
    reply = await world.http.post(path, content=body)

    assert reply.status_code == 400
    assert reply.json()["errors"]


async def test_a_body_beyond_the_limit_is_refused(world):
    reply = await world.http.post("/api/v2/testRuns", content=b" " * (JSON_LIMIT + 1))

    assert reply.status_code == 413


async def test_an_id_that_is_none_is_a_bad_request(world):
    assert (await world.http.get("/api/v2/testRuns/17")).status_code == 400


async def test_an_older_installation_has_no_adapters_surface(world):
    await world.ask("PUT", "/__sandbox__/rules", {"adapters_surface": False})

    assert (await world.http.get(f"/adapters/projects/{PROJECT_ID}")).status_code == 404
    assert (await world.http.get(f"/api/v2/projects/{PROJECT_ID}")).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        f"/api/v2/autoTests/{'9' * 5000}",
        f"/adapters/workItems/{'9' * 5000}",
        f"/__sandbox__/calls?last={'9' * 5000}",
        "/api/v2/testResults/%00",
    ],
)
async def test_a_nonsensical_address_is_no_error_of_the_sandbox(world, query):
    assert (await world.http.get(query)).status_code in (400, 404)


async def test_an_autotest_with_endless_steps_is_a_bad_request(world):
    step = {"title": "s"}
    for _ in range(300):
        step = {"title": "s", "steps": [step]}

    reply = await world.http.post("/adapters/autoTests", json=autotest("a", steps=[step]))

    assert reply.status_code == 400
