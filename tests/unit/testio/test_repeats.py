"""Which failures are tried again, after which wait, how often, and what they end as."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest

from syncsvc.adapters.testio import calls
from syncsvc.catalogue.ports import Broken, Misshapen
from syncsvc.catalogue.spending import BudgetSpent
from syncsvc.errors import Denied, Rejected, Unavailable, Unknown
from tests.unit.testio.api import TOKEN, URL, Api, account, ok, status, throttled

HICCUPS = [
    status(408),
    status(502),
    status(503),
    status(524),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow", request=httpx.Request("GET", URL)),
    httpx.RemoteProtocolError("cut off"),
    httpx.DecodingError("no gzip"),
]


@pytest.mark.parametrize("hiccup", [*HICCUPS, status(500)], ids=str)
async def test_a_hiccup_is_tried_again(hiccup):
    api = Api(hiccup, ok())

    await api.source.products(None, api.spending)

    assert (api.spending.calls, api.spending.retries) == (2, 1)


@pytest.mark.parametrize("hiccup", HICCUPS, ids=str)
async def test_what_fails_five_times_is_unavailable(hiccup):
    api = Api(hiccup)

    with pytest.raises(Unavailable, match="tried 5 times") as raised:
        await api.source.products(None, api.spending)

    assert type(raised.value) is Unavailable
    assert raised.value.retry_after is None
    assert (api.spending.calls, api.spending.retries) == (5, 4)


async def test_waits_between_tries_double_up_to_a_cap():
    api = Api(status(502))

    with pytest.raises(Unavailable):
        await api.source.products(None, api.spending)

    assert api.time.waits == [0.2, 0.4, 0.8, 1.6]
    assert calls.BASE * 2 ** (calls.TRIES - 1) < calls.CAP


async def test_waits_are_a_random_part_of_that():
    api = Api(status(502), ok())
    api.calls.manner = calls.Manner(pause=api.time.pause, chance=lambda: 0.25)

    await api.source.products(None, api.spending)

    assert api.time.waits == [0.05]


async def test_a_page_that_answers_500_twice_is_broken():
    api = Api(status(500))

    with pytest.raises(Broken, match="2 times"):
        await api.source.tests(1, 1, 25, api.spending)

    assert api.spending.calls == 2


async def test_features_that_answer_500_three_times_are_broken():
    api = Api(status(500))

    with pytest.raises(Broken, match="3 times"):
        await api.source.features(1, api.spending, with_stories=True)

    assert api.spending.calls == 3


@pytest.mark.parametrize("read", ["products", "test"])
async def test_anything_else_is_broken_after_five_500(read):
    api = Api(status(500))
    reads = {
        "products": lambda: api.source.products(None, api.spending),
        "test": lambda: api.source.test(1, 2, api.spending),
    }

    with pytest.raises(Broken, match="5 times"):
        await reads[read]()

    assert api.spending.calls == 5


async def test_five_failures_of_which_one_is_another_are_no_proof_that_it_is_broken():
    api = Api(status(502), status(500))

    with pytest.raises(Unavailable) as raised:
        await api.source.products(None, api.spending)

    assert not isinstance(raised.value, Broken)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (401, Denied),
        (403, Denied),
        (404, Unknown),
        (400, Rejected),
        (410, Rejected),
        (422, Rejected),
    ],
)
async def test_a_refusal_is_final_at_once(code: int, kind: type[Exception]):
    api = Api(status(code, {"error": "Error 500: Internal Server Error"}))

    with pytest.raises(kind) as raised:
        await api.source.features(1500, api.spending, with_stories=True)

    assert type(raised.value) is kind
    assert api.spending.calls == 1


@pytest.mark.parametrize("code", [401, 403])
async def test_a_denial_says_which_setting_to_check(code: int):
    api = Api(status(code))

    with pytest.raises(Denied, match="check SYNCSVC_TESTIO_TOKEN"):
        await api.source.products(None, api.spending)


async def test_what_the_server_says_is_shown_in_one_short_line_without_the_token():
    said = f"bad\n\x00 token {TOKEN} \ud800 " + "x" * 500
    api = Api(httpx.Response(422, content=_json_with_escapes(said)))

    with pytest.raises(Rejected) as raised:
        await api.source.products(None, api.spending)

    text = str(raised.value)
    assert text.startswith(
        "TestIO answered 422 to GET /customer/v2/products (bad token *** \ufffd x"
    )
    assert text.count("x") < 200


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b'{"error": null}', b'{"message": "x"}'])
async def test_an_error_that_says_nothing_is_told_by_its_code(body: bytes):
    api = Api(httpx.Response(400, content=body))

    with pytest.raises(Rejected) as raised:
        await api.source.products(None, api.spending)

    assert str(raised.value) == "TestIO answered 400 to GET /customer/v2/products"


async def test_a_redirect_is_not_followed_but_told():
    api = Api(status(302, location=f"https://elsewhere.invalid/login?token={TOKEN}"))

    with pytest.raises(
        Rejected, match=r"points to https://elsewhere\.invalid/login: check"
    ) as raised:
        await api.source.products(None, api.spending)

    assert TOKEN not in str(raised.value)
    assert len(api.asked) == 1


async def test_a_redirect_to_nowhere_is_told_too():
    with pytest.raises(Rejected, match="points to nowhere"):
        await Api(status(304)).source.products(None, Api(ok()).spending)


@pytest.mark.parametrize("token", ["s3cret\r\nX: y", "s3cret\u0442"])
async def test_a_token_that_no_header_takes_is_not_told(token: str):
    api = Api(httpx.LocalProtocolError(f"illegal header value {token}"), of=account(token=token))

    with pytest.raises(Rejected, match="HTTP does not allow") as raised:
        await api.source.products(None, api.spending)

    assert "s3cret" not in str(raised.value)


async def test_another_protocol_than_http_is_rejected():
    api = Api(httpx.UnsupportedProtocol("no"))

    with pytest.raises(Rejected, match="SYNCSVC_TESTIO_URL"):
        await api.source.products(None, api.spending)


async def test_nothing_is_asked_beyond_the_budget():
    api = Api(status(502), limit=2)

    with pytest.raises(BudgetSpent):
        await api.source.products(None, api.spending)

    assert len(api.asked) == 2


async def test_an_answer_that_takes_too_long_as_a_whole_is_tried_again():
    api = Api(ok())
    api.calls.manner = calls.Manner(timedelta(0), pause=api.time.pause)
    api.calls.http = httpx.AsyncClient(transport=httpx.MockTransport(never))

    with pytest.raises(Unavailable, match="within 0 s; it was tried 5 times"):
        await api.source.products(None, api.spending)


async def test_an_answer_without_end_is_misshapen(monkeypatch):
    monkeypatch.setattr(calls, "LARGEST_ANSWER", 10)

    with pytest.raises(Misshapen, match="more than 10 bytes"):
        await Api(ok()).source.products(None, Api(ok()).spending)


async def test_of_a_long_error_only_the_beginning_is_read(monkeypatch):
    monkeypatch.setattr(calls, "LARGEST_ERROR", 10)
    api = Api(status(404, {"error": "x" * 100}))

    with pytest.raises(Unknown):
        await api.source.products(None, api.spending)


async def test_tokens_are_not_shown():
    api = Api(throttled(), status(502), ok())

    await api.source.products(None, api.spending)

    assert TOKEN not in repr(api.calls) + repr(api.source) + repr(api.gate.passed)
    assert api.asked[0].headers["authorization"] == f"Token {TOKEN}"


async def never(_request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


def _json_with_escapes(text: str) -> bytes:
    return json.dumps({"error": text}).encode()
