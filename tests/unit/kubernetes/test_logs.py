"""Logs come byte by byte as they are, and why there is none is told."""

from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from syncsvc.adapters.kubernetes.failures import Refusal
from syncsvc.adapters.kubernetes.lines import Lines
from syncsvc.errors import Rejected, Unavailable
from syncsvc.loadtests.clusters import NoLog
from tests.unit.kubernetes.api import NS, api, failure, logged, not_found, status

ODD = b"2026-01-01T12:00:00.5Z a\xff\x00\r\xe2\x80\xa8b\x1b[0m\n2026-01-01T12:00:01Z end"
WAITS = failure(400, "BadRequest", 'container "k6" in pod "p" is waiting to start: PodInitializing')
STRANGER = failure(400, "BadRequest", "container zzz is not valid for pod p")


async def followed(cluster, **options: object) -> list[bytes]:
    return [line async for line in cluster.follow(NS, "p", "k6", **options)]


async def test_a_log_is_given_as_it_is():
    assert await api(log=logged(ODD)).cluster().log(NS, "p", "k6") == ODD


async def test_a_log_is_asked_for_with_moments_from_a_whole_second_on():
    world = api(log=logged(b""))
    moment = datetime(2026, 1, 1, 15, 0, 0, 900_000, tzinfo=timezone(timedelta(hours=3)))

    await world.cluster().log(NS, "p", "k6", since=moment, limit_bytes=100)

    (request,) = world.asked
    assert request.url.path.endswith(f"/api/v1/namespaces/{NS}/pods/p/log")
    assert dict(request.url.params) == {
        "container": "k6",
        "timestamps": "true",
        "sinceTime": "2026-01-01T12:00:00Z",
        "limitBytes": "100",
    }
    assert request.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (status(204), "no node runs the pod yet"),
        (WAITS, "waiting to start: PodInitializing"),
        (not_found("p", kind="pods"), "the pod is gone"),
        (logged(b"unable to retrieve container logs for containerd://1f"), "unable to retrieve"),
    ],
    ids=["unscheduled", "waits", "gone", "lost"],
)
async def test_why_there_is_no_log_is_told_in_both_ways_of_reading(answer, why):
    with pytest.raises(NoLog, match=why):
        await api(log=answer).cluster().log(NS, "p", "k6")
    with pytest.raises(NoLog, match=why):
        await followed(api(log=answer).cluster())


async def test_a_text_like_a_nodes_complaint_is_a_log_when_a_moment_stands_before_it():
    text = b"2026-01-01T12:00:00Z unable to retrieve container logs for x\n"

    assert await api(log=logged(text)).cluster().log(NS, "p", "k6") == text


async def test_a_node_that_is_gone_is_no_proof_that_the_pod_is():
    with pytest.raises(Unavailable):
        await api(log=not_found("node-7", kind="pods")).cluster().log(NS, "p", "k6")


async def test_a_container_that_the_pod_does_not_have_is_refused():
    with pytest.raises(Refusal, match="zzz is not valid"):
        await api(log=STRANGER).cluster().log(NS, "p", "zzz")


async def test_a_node_that_does_not_answer_is_unavailable():
    with pytest.raises(Unavailable, match="connection refused"):
        await api(log=failure(500, None, "connection refused")).cluster().log(NS, "p", "k6")


@pytest.mark.parametrize(
    ("options", "said"),
    [({"limit_bytes": 0}, "limit_bytes"), ({"since": datetime(2026, 1, 1)}, "since")],  # noqa: DTZ001 - that is the error
)
async def test_what_is_no_limit_or_moment_is_refused(options, said):
    with pytest.raises(Rejected, match=f"{said}: expected"):
        await api(log=logged(b"")).cluster().log(NS, "p", "k6", **options)


async def test_a_followed_log_comes_line_by_line():
    world = api(log=logged(ODD))

    lines = await followed(world.cluster(), since=datetime(2026, 1, 1, tzinfo=UTC))

    assert lines == ODD.split(b"\n")
    assert world.asked[0].url.params["follow"] == "true"
    assert "limitBytes" not in world.asked[0].url.params


class Cut(httpx.AsyncByteStream):
    async def __aiter__(self):
        yield b"first\nsec"
        raise httpx.ReadError("reset")


async def test_a_followed_log_that_breaks_off_keeps_what_came_and_says_so():
    cluster = api(log=lambda _: httpx.Response(200, stream=Cut())).cluster()
    lines = cluster.follow(NS, "p", "k6")

    assert await anext(lines) == b"first"
    with pytest.raises(Unavailable, match="reset"):
        await anext(lines)


async def test_a_log_that_breaks_off_is_read_again():
    world = api(log=[lambda _: httpx.Response(200, stream=Cut()), logged(b"first\nsecond\n")])

    assert await world.cluster().log(NS, "p", "k6") == b"first\nsecond\n"


def test_lines_are_put_together_from_any_pieces():
    lines = Lines()

    given = [line for each in (b"a\nb", b"", b"c", b"\n\n", b"d\r") for line in lines.feed(each)]

    assert given == [b"a", b"bc", b""]
    assert lines.rest() == b"d\r"
