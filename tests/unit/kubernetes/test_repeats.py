"""Which failures are tried again, after which wait, and with which credentials."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from syncsvc.adapters.kubernetes.access import Presented
from syncsvc.adapters.kubernetes.credentials import Fetched, Renewed
from syncsvc.errors import Denied, Unavailable
from tests.unit.kubernetes.api import NS, api, failure, logged, ok, status

VERSION = ok({"gitVersion": "v1.36.2"})
UNAUTHORIZED = failure(401, "Unauthorized", "Unauthorized")


class Rotating:
    """Gives token-1, token-2 and so on."""

    def __init__(self) -> None:
        self.fetched = 0

    async def __call__(self) -> Fetched:
        self.fetched += 1
        await asyncio.sleep(0)
        return Fetched(Presented(f"token-{self.fetched}"))


@pytest.mark.parametrize(
    "hiccup",
    [
        failure(500, None, "dial tcp: connection refused"),
        status(503),
        status(408),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.RemoteProtocolError("peer closed connection"),
    ],
    ids=["500 without reason", "503", "408", "refused", "no connection in time", "cut"],
)
async def test_a_hiccup_is_tried_three_times_with_growing_random_waits(hiccup):
    world = api(version=hiccup)

    with pytest.raises(Unavailable, match="tried 3 times"):
        await world.cluster().version()

    assert world.time.waits == [0.1, 0.2]
    assert len(world.asked) == 3


async def test_a_hiccup_that_passes_is_not_noticed():
    world = api(version=[status(502), VERSION])

    assert await world.cluster().version() == "v1.36.2"


async def test_a_pause_that_is_asked_for_is_kept():
    busy = status(429, "Too many requests, please try again later.", Retry_After="3")
    world = api(version=[busy, VERSION])

    await world.cluster().version()

    assert world.time.waits == [3.1]


async def test_a_429_that_names_no_pause_gets_a_second():
    world = api(version=[status(429), VERSION])

    await world.cluster().version()

    assert world.time.waits == [1.1]


async def test_a_pause_can_be_asked_for_in_the_status():
    late = failure(504, "Timeout", "Too large resource version", retryAfterSeconds=2)
    world = api(version=[late, VERSION])

    await world.cluster().version()

    assert world.time.waits == [2.1]


async def test_a_long_pause_is_told_and_not_waited_for():
    world = api(version=status(429, Retry_After="60"))

    with pytest.raises(Unavailable) as refused:
        await world.cluster().version()

    assert refused.value.retry_after == timedelta(minutes=1)
    assert world.time.waits == []


async def test_a_server_that_takes_its_time_is_not_asked_again():
    world = api(version=httpx.ReadTimeout("slow"))

    with pytest.raises(Unavailable, match="no answer"):
        await world.cluster().version()

    assert len(world.asked) == 1


async def test_a_call_ends_at_its_limit():
    class Never(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

    cluster = api().cluster(limit=timedelta(0))
    cluster.calls.wire.http = httpx.AsyncClient(transport=Never())

    with pytest.raises(Unavailable, match="within 0 s"):
        await cluster.version()


async def test_refused_credentials_are_renewed_once():
    world = api(version=[UNAUTHORIZED, VERSION])
    cluster = world.cluster(Renewed(Rotating()))

    await cluster.version()

    shown = [request.headers["Authorization"] for request in world.asked]
    assert shown == ["Bearer token-1", "Bearer token-2"]


async def test_newer_credentials_that_are_refused_too_are_denied():
    world = api(version=UNAUTHORIZED)

    with pytest.raises(Denied):
        await world.cluster(Renewed(Rotating())).version()

    assert len(world.asked) == 2


async def test_credentials_that_do_not_change_are_shown_once():
    world = api(version=UNAUTHORIZED)

    with pytest.raises(Denied):
        await world.cluster().version()

    assert len(world.asked) == 1


async def test_many_that_are_refused_together_renew_once():
    def by_token(request: httpx.Request) -> httpx.Response:
        known = request.headers["Authorization"] == "Bearer token-2"
        return logged(b"") if known else UNAUTHORIZED

    rotating = Rotating()
    cluster = api(log=by_token).cluster(Renewed(rotating))

    await asyncio.gather(*(cluster.log(NS, f"p{i}", "k6") for i in range(10)))

    assert rotating.fetched == 2


class Counting(httpx.AsyncBaseTransport):
    """Counts requests that are under way together."""

    def __init__(self) -> None:
        self.now = self.peak = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.now += 1
        self.peak = max(self.peak, self.now)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.now -= 1
        return logged(b"")


async def test_logs_are_read_so_many_at_once():
    cluster = api().cluster(logs_at_once=3)
    cluster.calls.wire.http = httpx.AsyncClient(transport=(counting := Counting()))

    await asyncio.gather(*(cluster.log(NS, f"p{i}", "k6") for i in range(20)))

    assert counting.peak == 3
