"""A suite as a user of the adapter writes it; nose2 alone imports it."""

import time
import unittest

import testit


class TestShop(unittest.TestCase):
    @testit.externalId("shop-open")
    def test_1_opens(self):
        time.sleep(0.1)
        with testit.step("unlock"):
            testit.addMessage("welcome")

    @testit.externalId("shop-refund")
    def test_2_refund(self):
        self.fail("the shop keeps the money")

    @testit.externalId("shop-close")
    def test_3_closes(self):
        pass
