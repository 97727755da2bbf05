"""A sandbox as a server inside another program: where it listens and when it stops."""

import asyncio

import httpx
import pytest

from syncsvc.sandbox.server import Address, NotLoopback, bind, build_app, running, serve
from tests.support.plain_http import plain_http

HALF_A_REQUEST = (
    b"POST /api/v2/testRuns HTTP/1.1\r\nHost: x\r\nAuthorization: PrivateToken sandbox\r\n"
    b"Content-Length: 100\r\n\r\n{"
)


async def test_it_serves_until_it_is_told_to_stop():
    stop, ready = asyncio.Event(), asyncio.Queue[Address]()
    listener = bind("127.0.0.1", 0)
    serving = asyncio.create_task(serve(listener, ready=ready.put_nowait, stop=stop))
    address = await ready.get()

    async with plain_http() as http:
        reply = await http.get(address.url)
    stop.set()
    await serving

    assert reply.status_code == 200
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(address.host, address.port)


async def test_it_serves_on_ipv6_too():
    async with (
        running(bind("::1", 0)) as address,
        plain_http() as http,
    ):
        assert address.url.startswith("http://[::1]:")
        assert (await http.get(address.url)).status_code == 200


def test_a_port_is_taken_once():
    with bind("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_only_loopback_is_served(host):
    with pytest.raises(NotLoopback, match=r"expected 127\.0\.0\.1 or ::1"):
        bind(host, 0)


async def test_two_sandboxes_know_nothing_of_each_other():
    async with (
        running() as first,
        running(token="other") as second,
        plain_http() as http,
    ):
        headers = {"Authorization": "PrivateToken other"}
        replies = [
            await http.get(f"{each.url}/api/v2/projects/1", headers=headers)
            for each in (first, second)
        ]

    assert [reply.status_code for reply in replies] == [401, 200]


async def test_a_client_that_leaves_inside_its_body_harms_nobody(world):
    address = httpx.URL(world.url)
    _, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(HALF_A_REQUEST)
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    calls = []
    while not calls:
        calls = (await world.ask("GET", "/__sandbox__/calls"))["calls"]

    assert [each["path"] for each in calls] == ["/api/v2/testRuns"]


async def test_without_a_server_that_can_a_reset_is_an_error():
    transport = httpx.ASGITransport(build_app())

    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        await http.put("/__sandbox__/faults", json={"rules": [{"kind": "reset"}]})
        with pytest.raises(ConnectionResetError):
            await http.get("/api/v2/projects/1")


async def test_many_calls_at_once_are_all_counted(world):
    await asyncio.gather(*(world.http.get("/api/v2/projects/1") for _ in range(50)))

    assert (await world.ask("GET", "/__sandbox__/calls"))["total"] == 50


def test_an_address_is_written_as_urls_write_it():
    assert Address("::1", 80).url == "http://[::1]:80"
