"""Our client reads what TestIO's sandbox shows, and its failures as what they are."""

import asyncio

import msgspec
import pytest

from syncsvc.catalogue.ports import Broken, Misshapen
from syncsvc.errors import Denied, Unknown
from tests.protocol.testio_client.client import Client


async def test_products_are_listed(client: Client):
    found = await client.source.products(None, client.spending)

    world = await client.arrange("GET", "/testio/world")
    assert [each.id for each in found.products] == world["products"]
    assert not found.unreadable


async def test_products_can_be_asked_for_by_id(client: Client):
    ids = (await client.products())[1:]

    found = await client.source.products(ids, client.spending)

    assert sorted(each.id for each in found.products) == sorted(ids)


async def test_features_come_with_stories_that_have_ids(client: Client):
    product = (await client.products())[0]

    found = await client.source.features(product, client.spending, with_stories=True)

    assert len(found.features) == 4
    assert all(len(each.stories) == 2 for each in found.features)
    assert all(story.id is not None for each in found.features for story in each.stories)


async def test_all_tests_are_read_page_by_page_newest_first(client: Client):
    product = (await client.products())[0]

    pages = [await client.source.tests(product, page, 25, client.spending) for page in (1, 2, 3)]

    tests = [test for page in pages for test in page.tests]
    world = await client.arrange("GET", f"/testio/products/{product}")
    assert [page.raw_count for page in pages] == [25, 5, 0]
    assert [test.id for test in tests] == [each["id"] for each in world["tests"]]
    assert not any(page.unreadable for page in pages)


async def test_no_credentials_of_an_environment_are_read(client: Client):
    product = (await client.products())[0]

    page = await client.source.tests(product, 1, 25, client.spending)
    one = await client.source.test(product, page.tests[0].id, client.spending)

    assert one.environment_id is not None
    assert b"hunter2" not in msgspec.json.encode([*page.tests, one])


async def test_a_test_alone_is_the_same_as_in_its_list(client: Client):
    product = (await client.products())[0]
    listed = (await client.source.tests(product, 1, 25, client.spending)).tests[0]

    assert await client.source.test(product, listed.id, client.spending) == listed


async def test_a_wrong_token_is_denied_at_once(client: Client):
    url = str(client.side.base_url).rstrip("/")

    async with Client.of(url, client.side, token="wrong") as stranger:
        with pytest.raises(Denied, match="SYNCSVC_TESTIO_TOKEN"):
            await stranger.products()

    assert stranger.spending.calls == 1


async def test_a_product_that_is_gone_is_unknown_whatever_its_id(client: Client):
    with pytest.raises(Unknown):
        await client.source.tests(1500, 1, 25, client.spending)

    assert client.spending.calls == 1


async def test_a_page_with_a_poisoned_test_is_broken_after_two_calls(client: Client):
    product = (await client.products())[0]
    world = await client.arrange("GET", f"/testio/products/{product}")
    poisoned = world["tests"][3]["id"]
    await client.arrange("PUT", f"/testio/tests/{poisoned}/poison", {})
    before = client.spending.calls

    with pytest.raises(Broken):
        await client.source.tests(product, 1, 25, client.spending)

    assert client.spending.calls - before == 2
    assert (await client.source.tests(product, 2, 25, client.spending)).raw_count == 5


async def test_a_hiccup_is_survived(client: Client):
    await client.fails(502, "/products$", times=2)

    assert len(await client.products()) == 3
    assert client.spending.retries == 2


async def test_connections_that_break_are_survived(client: Client):
    rule = {"kind": "reset", "pattern": "/products$", "times": 1}
    await client.arrange("PUT", "/faults", {"rules": [rule]})

    assert len(await client.products()) == 3


@pytest.mark.parametrize("how", ["seconds", "date"])
async def test_a_rate_limit_is_kept_by_all_calls(client: Client, how: str):
    limit = {"per_second": 1, "burst": 1, "retry_after": how}  # also for slow calls too many
    await client.arrange("PUT", "/testio/rate", limit)

    for _ in range(4):
        assert len(await client.products()) == 3

    counted = await client.arrange("GET", "/testio/rate")
    assert counted["throttled"] >= 1
    assert counted["early"] == 0
    assert client.spending.throttled > 0


@pytest.mark.parametrize("answer", ["html", "list", "text", "number", "empty"])
async def test_an_answer_in_another_shape_is_misshapen(client: Client, answer: str):
    malformed = {"answers": [{"path": "/products", "answer": answer}]}
    await client.arrange("PUT", "/testio/malformed", malformed)

    with pytest.raises(Misshapen):
        await client.products()


async def test_an_item_that_cannot_be_read_is_named(client: Client):
    product = (await client.products())[0]
    world = await client.arrange("GET", f"/testio/products/{product}")
    wrong = {"kind": "test", "id": world["tests"][2]["id"], "field": "title", "value": 5}
    await client.arrange("PUT", "/testio/malformed", {"fields": [wrong]})

    page = await client.source.tests(product, 1, 25, client.spending)

    assert (page.raw_count, len(page.tests)) == (25, 24)
    assert [(each.index, each.id) for each in page.unreadable] == [(2, wrong["id"])]
    assert page.unreadable[0].error == "title: expected str | null, found int"


async def test_a_burst_that_is_throttled_completes_and_keeps_every_pause(client: Client):
    limit = {"per_second": 20, "burst": 5, "retry_after": "seconds"}
    await client.arrange("PUT", "/testio/rate", limit)

    found = await asyncio.gather(*(client.products() for _ in range(20)))

    counted = await client.arrange("GET", "/testio/rate")
    assert [len(each) for each in found] == [3] * 20
    assert (counted["answered"], counted["early"]) == (20, 0)
    assert client.spending.calls == 20 + counted["throttled"]
