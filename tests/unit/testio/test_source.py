"""What is asked of TestIO for each thing that a sync wants to read."""

import httpx
import pytest

from syncsvc.adapters.testio.client import PRODUCTS_AT_ONCE
from syncsvc.catalogue.ports import Misshapen
from tests.unit.testio.api import Api, account, ok
from tests.unit.testio.payloads import a_test, feature, product


async def test_all_products_are_one_call_without_a_filter():
    api = Api(ok({"products": [product()]}))

    found = await api.source.products(None, api.spending)

    assert [each.id for each in found.products] == [2001]
    assert [str(each.url) for each in api.asked] == [f"{account().base_url}/products"]


async def test_some_products_are_filtered_by_a_hundred_ids_at_once():
    def listed(request: httpx.Request) -> httpx.Response:
        ids = request.url.params.get_list("filter[product_ids][]")
        return ok({"products": [product(id=int(each)) for each in ids] + [product(id=0), {}]})

    api = Api(listed)
    wanted = range(1, PRODUCTS_AT_ONCE + 51)

    found = await api.source.products([*wanted, 1], api.spending)

    assert {each.id for each in found.products} == {0, *wanted}
    assert len(found.products) == len(wanted) + 1
    assert len(found.unreadable) == 2
    assert api.spending.calls == 2


async def test_no_products_are_no_call():
    api = Api(ok())

    assert (await api.source.products([], api.spending)).products == []
    assert api.asked == []


@pytest.mark.parametrize(
    ("with_stories", "query"), [(True, "includes[]=user_stories"), (False, "")]
)
async def test_features_are_one_call_with_their_stories_if_they_are_wanted(with_stories, query):
    api = Api(ok({"features": [feature()]}))

    found = await api.source.features(5, api.spending, with_stories=with_stories)

    assert bool(found.features[0].stories) is with_stories
    assert found.features[0].product_id == 5
    assert api.asked[0].url.path == "/customer/v2/products/5/features"
    assert httpx.QueryParams(query) == api.asked[0].url.params


async def test_tests_are_read_by_page():
    api = Api(ok({"exploratory_tests": [a_test()]}))

    found = await api.source.tests(5, 3, 25, api.spending)

    assert found.tests[0].product_id == 5
    assert api.asked[0].url.path == "/customer/v2/products/5/exploratory_tests"
    assert httpx.QueryParams("page=3&per_page=25") == api.asked[0].url.params


async def test_one_test_is_read_by_its_id():
    api = Api(ok({"exploratory_test": a_test(id=9)}))

    found = await api.source.test(5, 9, api.spending)

    assert (found.id, found.product_id) == (9, 5)
    assert api.asked[0].url.path == "/customer/v2/exploratory_tests/9"


async def test_an_answer_in_another_shape_is_named_by_its_path_and_not_repeated():
    api = Api(httpx.Response(200, content=b"<html>"))

    with pytest.raises(Misshapen, match="GET /products/5/features: expected an object"):
        await api.source.features(5, api.spending, with_stories=True)

    assert api.spending.calls == 1
