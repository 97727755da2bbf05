"""How Test IT is asked: on the surface it has, with the right token, and errors by their code."""

import json
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from syncsvc.adapters.testit.calls import TestItCalls
from syncsvc.adapters.testit.client import TestItBoard
from syncsvc.adapters.testit.destinations import TestItDestinations
from syncsvc.errors import Conflict, Rejected, Unavailable, Unknown
from syncsvc.results.held.model import FinalStatus, StatusType
from tests.support.builders import run
from tests.support.gates import OpenGate

Answer = Callable[[httpx.Request], httpx.Response]


class Server:
    """A Test IT that answers by path, and remembers what it was asked."""

    def __init__(self, **answers: object) -> None:
        self.answers = answers
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        for path, answer in self.answers.items():
            if request.url.path.endswith(path):
                return answer(request) if callable(answer) else httpx.Response(200, json=answer)
        return httpx.Response(404, json={"title": "Not Found"})

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.asked]


async def no_pause(_seconds: float) -> None:
    """Let no time pass."""


def board(answer: Answer) -> TestItBoard:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    destinations = TestItDestinations(None, None)
    return TestItBoard(TestItCalls(http, destinations, OpenGate(), no_pause, lambda: 0.5))


def short(result_id: str, test: str, status: str = "InProgress") -> dict:
    return {
        "id": result_id,
        "autotestExternalId": test,
        "status": {"type": status},
        "createdDate": "2026-01-01T00:00:00Z",
    }


def only(prefix: str, body: object) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        found = request.url.path.startswith(prefix)
        return httpx.Response(200 if found else 404, json=body)

    return answer


@pytest.mark.parametrize("prefix", ["/adapters", "/api/v2"])
async def test_the_surface_that_answers_is_used_from_then_on(prefix):
    server = Server(**{"/search": only(prefix, [])})
    testit = board(server)

    await testit.count_results(run())
    await testit.count_results(run())

    assert server.paths[-1].startswith(prefix)
    assert len(server.asked) == (2 if prefix == "/adapters" else 3)


async def test_the_token_of_the_run_is_sent():
    server = Server(**{"/search": []})

    await board(server).count_results(run(token="t0ken"))

    assert server.asked[0].headers["authorization"] == "PrivateToken t0ken"


async def test_results_are_counted_by_the_header():
    def counted(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[], headers={"Pagination-Total-Items": "17"})

    assert await board(counted).count_results(run()) == 17


async def test_a_server_that_does_not_count_is_no_error():
    assert await board(Server(**{"/search": []})).count_results(run()) is None


async def test_all_pages_are_read():
    def page(request: httpx.Request) -> httpx.Response:
        skip = int(request.url.params["Skip"])
        size = 100 if skip == 0 else 3
        return httpx.Response(
            200, json=[short(f"r{skip + i}", f"t{skip + i}") for i in range(size)]
        )

    found = await board(page).in_progress(run(), {"t5", "t102"})

    assert [result.id for result in found] == ["r5", "r102"]


async def test_only_results_of_the_asked_tests_are_given():
    server = Server(**{"/search": [short("1", "mine"), short("2", "other")]})

    assert [r.id for r in await board(server).in_progress(run(), {"mine"})] == ["1"]


async def test_of_several_results_of_one_test_each_is_read_for_its_test_point():
    server = Server(
        **{
            "/search": [short("1", "t"), short("2", "t")],
            "/testResults/1": {**short("1", "t"), "testPointId": "point"},
            "/testResults/2": short("2", "t"),
        }
    )

    found = await board(server).in_progress(run(), {"t"})

    assert [result.is_bound for result in found] == [True, False]


async def test_the_search_for_final_results_stops_when_all_are_found():
    server = Server(**{"/search": [short("1", "a", "Failed"), short("2", "b", "Succeeded")] * 50})

    assert await board(server).finished(run(), {"a", "c"}) == {"a"}
    assert await board(server).finished(run(), {"a", "b"}) == {"a", "b"}


async def test_status_codes_are_those_of_the_projects_workflow_and_asked_once():
    server = Server(
        **{
            "/search": [],
            "/projects/p": {"workflowId": "w"},
            "/workflows/w": {"statuses": [{"code": "Passed"}, {"code": "Failed"}]},
        }
    )
    testit = board(server)

    first = await testit.status_codes(run(), "p")
    asked = len(server.asked)
    second = await testit.status_codes(run(), "p")

    assert first == second == ("Passed", "Failed")
    assert len(server.asked) == asked


async def test_a_project_that_is_not_known_has_no_codes():
    assert await board(Server(**{"/search": []})).status_codes(run(), "stranger") == ()
    assert await board(Server()).status_codes(run(), None) == ()


async def test_only_the_status_is_written_and_then_seen():
    server = Server(**{"/testResults/1": short("1", "t", "Failed")})

    await board(server).finalise(run(), "1", FinalStatus(StatusType.FAILED, "Failed"))

    assert [request.method for request in server.asked] == ["PUT", "GET"]
    assert json.loads(server.asked[0].content) == {"statusType": "Failed", "statusCode": "Failed"}


async def test_a_code_that_is_not_known_is_left_out():
    server = Server(**{"/testResults/1": short("1", "t", "Failed")})

    await board(server).finalise(run(), "1", FinalStatus(StatusType.FAILED, None))

    assert json.loads(server.asked[0].content) == {"statusType": "Failed"}


async def test_a_status_that_does_not_stay_is_a_conflict():
    server = Server(**{"/testResults/1": short("1", "t", "InProgress")})

    with pytest.raises(Conflict, match="shows InProgress after Failed"):
        await board(server).finalise(run(), "1", FinalStatus(StatusType.FAILED, None))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, Rejected),
        (403, Rejected),
        (404, Unknown),
        (408, Unavailable),
        (409, Conflict),
        (422, Rejected),
        (429, Unavailable),
        (500, Unavailable),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
        (599, Unavailable),
        (302, Rejected),
    ],
)
async def test_an_error_is_classed_by_its_code_and_tells_it(status, kind):
    testit = board(lambda _: httpx.Response(status, json={"title": "Because"}))

    with pytest.raises(kind, match=f"answered {status} to .*Because") as raised:
        await testit.read(run(), "1")

    assert isinstance(raised.value, kind)


@pytest.mark.parametrize(
    ("said", "expected"),
    [("7", timedelta(seconds=7)), ("999999", timedelta(hours=1)), ("soon", None), ("", None)],
)
async def test_retry_after_is_read_in_seconds(said, expected):
    testit = board(lambda _: httpx.Response(429, headers={"Retry-After": said}))

    with pytest.raises(Unavailable) as raised:
        await testit.read(run(), "1")

    assert raised.value.retry_after == expected


async def test_retry_after_is_read_as_a_date():
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    testit = board(lambda _: httpx.Response(503, headers={"Retry-After": past}))

    with pytest.raises(Unavailable) as raised:
        await testit.read(run(), "1")

    assert raised.value.retry_after == timedelta(0)


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout, httpx.ReadError])
async def test_a_server_that_does_not_answer_is_unavailable(failure):
    def broken(request: httpx.Request) -> httpx.Response:
        raise failure("broken", request=request)

    with pytest.raises(Unavailable, match="did not answer GET /adapters/testResults/1"):
        await board(broken).read(run(), "1")


async def test_a_hiccup_is_repeated_in_place_so_that_every_second_call_may_fail():
    answers = iter([503, 200, 500, 502, 200])

    def limping(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(next(answers), json=short("1", "t"))

    testit = board(limping)

    assert (await testit.read(run(), "1")).id == "1"
    assert (await testit.read(run(), "1")).id == "1"


@pytest.mark.parametrize(
    ("failure", "calls"),
    [
        (httpx.Response(503), 4),
        (httpx.Response(503, headers={"Retry-After": "9"}), 1),
        (httpx.Response(429), 1),
        (httpx.Response(400), 1),
        (httpx.ReadTimeout("slow"), 2),
        (httpx.ConnectError("refused"), 1),
        (httpx.ReadError("reset"), 4),
    ],
)
async def test_only_a_quick_failure_is_repeated_in_place_and_not_for_long(failure, calls):
    asked = []

    def broken(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(failure, Exception):
            raise failure
        return httpx.Response(failure.status_code, headers=failure.headers)

    with pytest.raises((Rejected, Unavailable)):
        await board(broken).read(run(), "1")

    assert len(asked) == calls


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"id": 1}[', b"{}"])
async def test_an_answer_of_another_shape_is_unavailable(body):
    with pytest.raises(Unavailable, match="in a shape we do not know"):
        await board(lambda _: httpx.Response(200, content=body)).read(run(), "1")


async def test_no_error_tells_the_token():
    testit = board(lambda _: httpx.Response(401, json={"detail": "no"}))

    with pytest.raises(Rejected) as raised:
        await testit.read(run(token="s3cret"), "1")

    assert "s3cret" not in str(raised.value) + repr(run(token="s3cret"))
