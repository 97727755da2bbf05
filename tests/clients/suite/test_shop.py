"""A suite as a user of the adapter writes it; a copy of it runs, our own pytest never does.

Its first tests take long enough for both workers of pytest-xdist to have one; the last one takes
as long as it is told to.
"""

import os
import time

import pytest
import testit


@testit.externalId("shop-open")
@testit.displayName("The shop opens")
def test_the_shop_opens(basket):
    time.sleep(0.2)
    with testit.step("unlock"), testit.step("turn the key", "twice"):
        testit.addMessage("welcome")
    testit.addAttachments("from nine to five", is_text=True, name="hours.txt")

    assert basket == []


@testit.externalId("shop-search")
@testit.title("Search finds what is there")
@testit.tags("search", "smoke")
def test_search_finds_what_is_there():
    time.sleep(0.2)
    with testit.step("search"), testit.step("read the answer"):
        assert "tea" in ["tea", "coffee"]


@testit.externalId("shop-price-{goods}")
@pytest.mark.parametrize(("goods", "price"), [("tea", 3), ("coffee", 4)])
def test_goods_have_a_price(goods, price):
    time.sleep(0.2)
    assert price < 5, goods


@testit.externalId("shop-basket")
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_basket_of_any_size(basket, size):
    basket.extend(range(size))

    assert len(basket) == size


@testit.externalId("shop-invoice")
def test_an_invoice_is_attached():
    testit.addAttachments("3 EUR, thank you", is_text=True, name="invoice.txt")


@testit.externalId("shop-refund")
def test_a_refund_fails():
    assert 3 - 3 == 1, "the shop keeps the money"


@testit.externalId("shop-discount")
@pytest.mark.skip(reason="no discount today")
def test_a_discount_is_skipped():
    pass


@testit.externalId("shop-delivery")
@pytest.mark.xfail(reason="the courier is ill")
def test_delivery_is_expected_to_fail():
    pytest.fail("nobody rings")


def test_a_test_without_an_identity_of_its_own():
    pass


@testit.externalId("shop-close")
def test_the_shop_closes_late():
    time.sleep(float(os.environ["LAST_TEST_SECONDS"]))
