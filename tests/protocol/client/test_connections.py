"""The client over real sockets: who lets it in, who does not, and how it comes back."""

import asyncio
import http
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import serve as serve_sockets

from syncsvc.client import CheckpointTimedOut, NotReachable, Refused, connect
from tests.support.coordination import Coordination, serve
from tests.support.ports import own_port


@pytest.fixture
async def server():
    return Coordination()


@asynccontextmanager
async def doorkeeper(status, headers=(), body=b""):
    """A server that answers every handshake with a status."""
    seen = []

    def refuse(connection, request):
        seen.append(request)
        response = connection.respond(http.HTTPStatus(status), body.decode())
        for name, value in headers:
            response.headers[name] = value
        return response

    async def never(_connection):
        raise AssertionError("nobody is let in")

    async with serve_sockets(never, "127.0.0.1", 0, process_request=refuse) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}", seen


async def test_a_client_speaks_to_a_server_over_a_socket(server):
    async with serve(server) as url, connect(url, run="a b", worker="w 1") as run:
        assert await run.counter("n").add(2) == 2
        assert (run.name, run.worker) == ("a b", "w 1")
        assert await run.test_data.read() == b""


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_client_comes_back_after_its_connection_was_closed(server, at_once):
    async with serve(server) as url, connect(url, run="r1") as run:
        waiting = asyncio.create_task(run.signal("go").wait(timeout=30))
        await server.until_asked("signal.wait")

        server.cut(at_once=at_once)
        await server.until_asked("signal.wait", 2)
        await run.signal("go").send()

        assert await waiting == 1


async def test_a_server_that_is_gone_is_not_reachable():
    with pytest.raises(NotReachable, match=r"no server within 0\.2 s"):
        await connect(f"ws://127.0.0.1:{own_port()}", run="r1", connect_within=0.2).open()


@pytest.mark.parametrize("status", [401, 403])
async def test_wrong_credentials_are_told_what_to_set(status):
    async with doorkeeper(status) as (url, seen):
        with pytest.raises(Refused, match="SYNCSVC_TESTSYNC_USERNAME") as raised:
            await connect(url, run="r1", username="u", password="s3cret").open()

    assert "s3cret" not in str(raised.value)
    assert len(seen) == 1


async def test_credentials_follow_no_redirect():
    async with doorkeeper(200) as (elsewhere, seen):
        location = elsewhere.replace("ws://", "http://")
        async with doorkeeper(302, [("Location", location)]) as (url, _):
            with pytest.raises(Refused, match="give that server if you trust it"):
                await connect(url, run="r1", token="t").open()

    assert seen == []


async def test_a_server_of_another_kind_is_said_to_be_one():
    async with doorkeeper(404) as (url, _):
        with pytest.raises(Refused, match="answered 404: expected syncsvc's WebSocket port"):
            await connect(url, run="r1").open()


async def test_what_the_server_says_about_a_name_is_passed_on():
    async with doorkeeper(400, body=b"worker: expected at most 200 characters") as (url, _):
        with pytest.raises(Refused, match="answered 400: worker: expected at most 200"):
            await connect(url, run="r1").open()


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_is_busy_is_tried_again(status):
    async with doorkeeper(status) as (url, seen):
        with pytest.raises(NotReachable, match=f"answered {status}"):
            await connect(url, run="r1", connect_within=2).open()

    assert len(seen) > 1


async def test_workers_meet_at_a_checkpoint(server):
    async with (
        serve(server) as url,
        connect(url, run="r1", worker="w1") as one,
        connect(url, run="r1", worker="w2") as two,
    ):
        first, second = await asyncio.gather(
            one.checkpoint("start").wait(target=2), two.checkpoint("start").wait(target=2)
        )

    assert first.outcome == second.outcome == "released"
    assert first.start_at == second.start_at


async def test_workers_meet_again_and_again_under_one_name(server):
    async def rounds(run):
        checkpoint = run.checkpoint("round")
        return [(await checkpoint.wait(target=2, cyclic=True)).generation for _ in range(5)]

    async with (
        serve(server) as url,
        connect(url, run="r1", worker="w1") as one,
        connect(url, run="r1", worker="w2") as two,
    ):
        generations = await asyncio.gather(rounds(one), rounds(two))

    assert generations == [[1, 2, 3, 4, 5]] * 2


async def test_a_worker_whose_connection_is_cut_arrives_once(server):
    async with (
        serve(server) as url,
        connect(url, run="r1", worker="w1") as one,
        connect(url, run="r1", worker="w2") as two,
    ):
        waiting = asyncio.create_task(one.checkpoint("start").wait(target=3, timeout=4))
        await server.until_asked("checkpoint.wait")
        server.cut()
        await server.until_asked("checkpoint.wait", 2)
        status = await two.checkpoint("start").status()

        assert [arrival.worker for arrival in status.arrived] == ["w1"]
        with pytest.raises(CheckpointTimedOut, match="1 of 3 arrived"):
            await waiting


@pytest.mark.parametrize("host", ["a..b", "a" * 70])
async def test_a_host_that_cannot_be_is_refused_at_once(host):
    with pytest.raises(Refused, match=f"ws://{host}"):
        await connect(f"ws://{host}:9105", run="r1").open()
