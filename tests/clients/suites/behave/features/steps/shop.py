"""Steps as a user of the adapter writes them; behave alone imports them."""

import time

from behave import given, then, when


@given("a basket")
def a_basket(context):
    context.basket = []


@when("a shop is entered")
def a_shop_is_entered(_context):
    time.sleep(0.1)


@then("it is open")
def it_is_open(context):
    assert context.basket == []


@then("the money comes back")
def the_money_comes_back(context):
    assert context.basket, "the shop keeps the money"
