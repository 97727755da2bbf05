"""TestIO's control surface: worlds, changes, poison, limits, wrong answers and the load."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from syncsvc.sandbox.identities import TESTIO_TOKEN
from syncsvc.sandbox.testio.rate import UNDERWAY, Limit, Meter
from tests.support.testio import CONTROL, a_catalogue

PRODUCT = 2001
TESTS = f"/products/{PRODUCT}/exploratory_tests"
FEATURES = f"/products/{PRODUCT}/features"
NEWEST = "2026-03-01T14:00:00+02:00"


@pytest.fixture
async def testio():
    async with a_catalogue() as catalogue:
        yield catalogue


async def listed(testio, **query):
    told = await testio.told(TESTS, **{"page": 1, **query})
    return [each["id"] for each in told["exploratory_tests"]]


async def statuses(testio, *paths, **query):
    return [(await testio.ask(path, **query)).status_code for path in paths]


async def test_another_world_has_its_own_token_and_size(testio):
    wish = {"products": 2, "features": 1, "tests": 4, "first_product_id": 1500}

    made = await testio.tell("PUT", "/world?token=other", wish)

    assert (made["token"], made["products"]) == ("other", [1500, 1507])
    assert made["recipe"]["tests"] == 4
    told = await testio.told("/products", token="other")
    assert [each["id"] for each in told["products"]] == [1500, 1507]
    worlds = (await testio.tell("GET", "/worlds"))["worlds"]
    assert worlds == [{"token": TESTIO_TOKEN, "products": 3}, {"token": "other", "products": 2}]


async def test_a_change_in_one_world_is_none_in_another(testio):
    await testio.tell("PUT", "/world?token=other", {})

    await testio.tell("DELETE", f"/products/{PRODUCT}?token=other")

    assert await statuses(testio, f"/products/{PRODUCT}") == [200]
    assert await statuses(testio, f"/products/{PRODUCT}", token="other") == [404]


async def test_a_token_that_is_taken_away_is_nobody_s(testio):
    await testio.tell("DELETE", "/world")

    assert await statuses(testio, "/products") == [401]
    assert (await testio.http.get(f"{CONTROL}/world")).status_code == 404


async def test_tests_are_added_on_top(testio):
    before = await testio.tell("GET", f"/products/{PRODUCT}")

    added = (await testio.tell("POST", f"/products/{PRODUCT}/tests", {"count": 2}))["tests"]

    after = await testio.tell("GET", f"/products/{PRODUCT}")
    assert after["tests"] == added + before["tests"]
    assert (await listed(testio))[:2] == [each["id"] for each in added]
    assert added[0]["status"] == "running"


async def test_a_test_is_added_where_its_time_puts_it(testio):
    wish = {"count": 2, "end_at": "2026-02-28T00:00:00+02:00", "status": "locked", "title": "Late"}

    added = (await testio.tell("POST", f"/products/{PRODUCT}/tests", wish))["tests"]

    ids = await listed(testio)
    assert ids[6:8] == [each["id"] for each in added]
    shown = (await testio.told(f"/exploratory_tests/{added[0]['id']}"))["exploratory_test"]
    assert [shown[name] for name in ("title", "status", "end_at")] == [
        "Late",
        "locked",
        "2026-02-28T00:00:00+02:00",
    ]


async def test_an_altered_test_is_shown_anew_at_its_new_place(testio):
    [first, second, *_] = await listed(testio)

    await testio.tell("PATCH", f"/tests/{first}", {"status": "archived", "title": "Over"})
    await testio.tell("PATCH", f"/tests/{second}", {"end_at": "2027-01-01T00:00:00Z"})

    told = (await testio.told(TESTS, page=1))["exploratory_tests"]
    assert [each["id"] for each in told[:2]] == [second, first]
    assert (told[1]["status"], told[1]["title"], told[1]["end_at"]) == ("archived", "Over", NEWEST)


async def test_what_is_deleted_is_gone_from_lists_and_alone(testio):
    [first, *_] = await listed(testio)
    feature = (await testio.told(FEATURES))["features"][0]["id"]

    await testio.tell("DELETE", f"/tests/{first}")
    await testio.tell("DELETE", f"/features/{feature}")
    await testio.tell("DELETE", "/products/2008")

    assert first not in await listed(testio)
    ids = [each["id"] for each in (await testio.told(FEATURES))["features"]]
    assert feature not in ids
    gone = [f"/exploratory_tests/{first}", "/products/2008", "/products/2008/features"]
    assert await statuses(testio, *gone) == [404, 404, 404]
    assert (await testio.tell("GET", "/world"))["products"] == [2001, 2015]


async def test_features_are_added_altered_and_emptied(testio):
    [added] = (await testio.tell("POST", FEATURES, {"title": "New"}))["features"]
    await testio.tell("PATCH", f"/features/{added['id']}", {"title": "Newer"})

    shown = (await testio.told(FEATURES))["features"][-1]
    await testio.tell("DELETE", FEATURES)

    assert (shown["id"], shown["title"]) == (added["id"], "Newer")
    assert (await testio.told(FEATURES))["features"] == []


async def test_a_restored_product_is_as_it_was_generated(testio):
    before = await testio.tell("GET", f"/products/{PRODUCT}")
    await testio.tell("POST", f"/products/{PRODUCT}/tests", {})
    await testio.tell("DELETE", FEATURES)
    await testio.tell("PATCH", f"/products/{PRODUCT}", {"name": "Shop"})
    await testio.tell("DELETE", f"/products/{PRODUCT}")

    after = await testio.tell("POST", f"/products/{PRODUCT}/restore")

    assert after == before


async def test_an_altered_product_is_shown_in_its_tests_too(testio):
    await listed(testio)

    await testio.tell("PATCH", f"/products/{PRODUCT}", {"name": "Shop", "type": "gaming"})

    product = (await testio.told(f"/products/{PRODUCT}"))["product"]
    [test, *_] = (await testio.told(TESTS, page=1))["exploratory_tests"]
    assert (product["name"], test["product"]["type"]) == ("Shop", "gaming")


async def test_a_poisoned_test_spoils_every_page_that_holds_it(testio):
    poisoned = (await listed(testio))[3]

    await testio.tell("PUT", f"/tests/{poisoned}/poison", {})

    pages = [
        (await testio.ask(TESTS, page=page, per_page=size)).status_code
        for page, size in ((1, 25), (2, 25), (1, 3), (4, 1), (5, 1))
    ]
    assert pages == [500, 200, 200, 500, 200]
    reply = await testio.ask(f"/exploratory_tests/{poisoned}")
    assert (reply.status_code, list(reply.json())) == (500, ["error"])
    assert (await testio.tell("GET", "/world"))["poisoned"] == [poisoned]


async def test_a_poisoned_test_may_be_readable_alone_and_be_healed(testio):
    poisoned = (await listed(testio))[3]
    await testio.tell("PUT", f"/tests/{poisoned}/poison", {"single": "ok"})

    sick = await statuses(testio, TESTS, f"/exploratory_tests/{poisoned}")
    await testio.tell("DELETE", f"/tests/{poisoned}/poison")

    assert sick == [500, 200]
    assert await statuses(testio, TESTS, f"/exploratory_tests/{poisoned}") == [200, 200]


async def test_a_field_may_be_wrong_or_missing(testio):
    [first, second, *_] = await listed(testio)
    await testio.tell(
        "PUT",
        "/malformed",
        {
            "fields": [
                {"kind": "test", "id": first, "field": "title", "value": {"no": "text"}},
                {"kind": "test", "id": second, "field": "end_at"},
                {"kind": "product", "id": PRODUCT, "field": "name", "value": None},
                {"kind": "feature", "id": 190_000, "field": "id", "value": "one"},
            ]
        },
    )

    tests = (await testio.told(TESTS, page=1))["exploratory_tests"]
    product = (await testio.told(f"/products/{PRODUCT}"))["product"]
    feature = (await testio.told(FEATURES))["features"][0]
    await testio.tell("DELETE", "/malformed")

    assert tests[0]["title"] == {"no": "text"}
    assert "end_at" not in tests[1]
    assert (product["name"], feature["id"]) == (None, "one")
    assert (await testio.told(f"/products/{PRODUCT}"))["product"]["name"] == "Product 001"


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        ("html", b"<html>"),
        ("list", b"[]"),
        ("text", b'"text"'),
        ("number", b"17"),
        ("empty", b""),
        ("truncated", b'{"products":['),
    ],
)
async def test_an_answer_may_be_something_else_altogether(testio, answer, content):
    wish = {"answers": [{"path": FEATURES, "answer": answer, "times": 1}]}
    await testio.tell("PUT", "/malformed", wish)

    wrong = await testio.ask(FEATURES)

    assert wrong.status_code == 200
    assert wrong.content.startswith(content)
    assert (await testio.told(FEATURES))["features"]


async def test_a_call_too_many_is_told_when_to_come_again(testio):
    await testio.tell("PUT", "/rate", {"per_second": 0.01, "burst": 2})

    replies = [await testio.ask("/products") for _ in range(3)]

    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert 90 <= int(replies[2].headers["Retry-After"]) <= 100
    assert list(replies[2].json()) == ["error"]
    rate = await testio.tell("GET", "/rate")
    assert (rate["answered"], rate["throttled"], rate["limit"]["burst"]) == (2, 1, 2)


async def test_a_pause_may_be_told_as_a_date(testio):
    await testio.tell("PUT", "/rate", {"per_second": 0.01, "burst": 1, "retry_after": "date"})
    await testio.ask("/products")

    told = (await testio.ask("/products")).headers["Retry-After"]

    assert (
        timedelta(seconds=90)
        < parsedate_to_datetime(told) - datetime.now(UTC)
        < timedelta(seconds=102)
    )


async def test_a_limit_holds_for_its_own_customer_until_it_is_lifted(testio):
    await testio.tell("PUT", "/world?token=other", {})
    await testio.tell("PUT", "/rate", {"per_second": 0.01, "burst": 1})

    assert await statuses(testio, "/products", "/products") == [200, 429]
    assert await statuses(testio, "/products", "/products", token="other") == [200, 200]
    await testio.tell("DELETE", "/rate")
    assert await statuses(testio, "/products") == [200]


def a_meter(now):
    clock = datetime(2026, 1, 1, tzinfo=UTC)
    meter = Meter(tick=lambda: now[0], clock=lambda: clock)
    meter.put(Limit(per_second=2, burst=1))
    return meter


def test_a_bucket_fills_again():
    now = [100.0]
    meter = a_meter(now)

    found = []
    for now[0] in (100.0, 100.1, 100.6, 103.0, 103.1):
        found.append(meter.refuse(now[0]))

    assert found == [None, "1", None, None, "1"]


def test_whoever_comes_before_a_promised_time_is_early():
    now = [100.0]
    meter = a_meter(now)
    meter.refuse(100.0)
    meter.refuse(100.0)

    for now[0] in (100.0 + UNDERWAY / 2, 100.8, 101.3):
        meter.refuse(now[0])

    assert (meter.throttled, meter.early) == (2, 1)


async def test_calls_in_flight_are_counted_with_their_latency(testio):
    await testio.tell("PUT", "/world?token=other", {})
    await testio.faults(latency=2)  # seconds, in which all of them arrive

    await asyncio.gather(
        *(testio.ask(TESTS, page=n + 1) for n in range(4)),
        *(testio.ask("/products", token="other") for _ in range(2)),
        testio.ask("/products", token="nobody"),
    )

    load = await testio.tell("GET", "/load?clear")
    assert (load["in_flight"], load["peak"]) == (0, 7)
    peaks = {token: each["peak"] for token, each in load["tokens"].items()}
    assert peaks == {TESTIO_TOKEN: 4, "other": 2}
    assert load["routes"]["GET /customer/v2/products/{id}/exploratory_tests"]["peak"] == 4
    cleared = await testio.tell("GET", "/load")
    assert cleared == {"in_flight": 0, "peak": 0, "tokens": {}, "routes": {}}


async def test_what_is_under_way_can_be_seen(testio):
    await testio.faults({"kind": "hang", "seconds": 120})
    call = asyncio.create_task(testio.ask("/products"))

    async with asyncio.timeout(30):
        while (await testio.tell("GET", "/load"))["in_flight"] != 1:
            pass
    await testio.tell("DELETE", "/load")

    assert (await testio.tell("GET", "/load"))["tokens"] == {
        TESTIO_TOKEN: {"in_flight": 1, "peak": 1}
    }
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


async def test_faults_speak_as_testio_does(testio):
    await testio.faults(
        {"kind": "status", "code": 502, "path": f"/customer/v2{FEATURES}"},
        {"kind": "status", "code": 503, "path": "/customer/v2/products/2008", "retry_after": 7},
    )

    bad = await testio.ask(FEATURES)
    away = await testio.ask("/products/2008")

    assert (bad.status_code, list(bad.json())) == (502, ["error"])
    assert (away.status_code, away.headers["Retry-After"]) == (503, "7")
    assert await statuses(testio, "/products/2015") == [200]


async def test_a_fault_may_mean_one_page(testio):
    rule = {"kind": "status", "code": 500, "pattern": "exploratory_tests$", "query": "page=2(&|$)"}
    await testio.faults(rule)

    found = [(await testio.ask(TESTS, page=page)).status_code for page in (1, 2, 3)]

    assert found == [200, 500, 200]


async def test_calls_are_logged_with_their_query(testio):
    await testio.ask(TESTS, page=2)

    [call] = await testio.calls()

    assert (call["path"], call["query"]) == (f"/customer/v2{TESTS}", "page=2")


async def test_a_reset_leaves_the_first_world_as_it_was(testio):
    await testio.tell("PUT", "/world?token=other", {})
    await testio.tell("DELETE", f"/products/{PRODUCT}")

    await testio.http.post("/__sandbox__/reset")

    assert (await testio.tell("GET", "/worlds"))["worlds"] == [
        {"token": TESTIO_TOKEN, "products": 3}
    ]


async def test_the_page_shows_the_customers(testio):
    await testio.ask("/products")

    shown = (await testio.http.get("/")).text

    assert f"<td>{TESTIO_TOKEN}</td><td>3</td><td>1</td>" in shown


@pytest.mark.parametrize(
    ("method", "path", "wish", "named"),
    [
        ("PUT", "/world", {"products": -1}, "products"),
        ("PUT", "/world", {"sectioned": 2}, "sectioned"),
        ("PUT", "/world", {"newest_end_at": "yesterday"}, "newest_end_at"),
        ("PUT", "/world", {"newest_end_at": "2026-01-01T00:00:00"}, "newest_end_at"),
        ("PUT", "/world", {"product": 1}, "product"),
        ("PUT", "/world?token=", {}, "token"),
        ("PUT", "/rate", {"per_second": 0, "burst": 1}, "per_second"),
        ("PUT", "/rate", {"per_second": 1, "burst": 1, "retry_after": "never"}, "retry_after"),
        (
            "PUT",
            "/malformed",
            {"fields": [{"kind": "bug", "id": 1, "field": "id"}]},
            "fields[0].kind",
        ),
        ("PUT", "/malformed", {"answers": [{"path": "x", "answer": "list"}]}, "answers[0].path"),
        ("POST", f"/products/{PRODUCT}/tests", {"count": 0}, "count"),
        ("PATCH", "/tests/100000", {"end_at": 5}, "end_at"),
        ("PATCH", f"/products/{PRODUCT}", {"type": "toaster"}, "type"),
        ("PUT", "/tests/100000/poison", {"single": "maybe"}, "single"),
    ],
)
async def test_a_bad_wish_is_refused_by_the_name_of_its_field(testio, method, path, wish, named):
    reply = await testio.http.request(method, CONTROL + path, json=wish)

    assert (reply.status_code, list(reply.json()["errors"])) == (400, [named])
    assert "found" in reply.json()["detail"]
    assert "expected" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/products/9"),
        ("DELETE", "/products/9"),
        ("POST", "/products/9/restore"),
        ("POST", "/products/9/tests"),
        ("DELETE", "/products/9/features"),
        ("PATCH", "/features/9"),
        ("DELETE", "/tests/9"),
        ("PUT", "/tests/9/poison"),
        ("DELETE", "/tests/9/poison"),
        ("GET", "/world?token=nobody"),
        ("DELETE", "/rate?token=nobody"),
    ],
)
async def test_a_wish_for_what_does_not_exist_is_not_found(testio, method, path):
    assert (await testio.http.request(method, CONTROL + path)).status_code == 404
