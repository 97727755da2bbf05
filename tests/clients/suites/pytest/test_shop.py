"""A suite in the words that adapters of every version know."""

import time

import testit


@testit.externalId("shop-open")
def test_the_shop_opens():
    time.sleep(0.1)


@testit.externalId("shop-refund")
def test_a_refund_fails():
    assert 3 - 3 == 1, "the shop keeps the money"


@testit.externalId("shop-close")
def test_the_shop_closes():
    pass
