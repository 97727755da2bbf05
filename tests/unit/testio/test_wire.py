"""What is read of an answer, what is forgiven in it, and what is named when it cannot be read."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from syncsvc.adapters.testio import wire
from syncsvc.catalogue.entities import (
    CatalogueTest,
    Feature,
    Page,
    Platform,
    Product,
    Section,
    TestFeature,
    UserStory,
)
from syncsvc.catalogue.ports import Misshapen
from tests.unit.testio.payloads import (
    a_test,
    body,
    feature,
    product,
    requirement,
    story,
    test_feature,
)

WITHOUT = object()


def page(*items: object) -> Page:
    return wire.page_of_tests(body("exploratory_tests", list(items)), 2001)


def read(**more: object) -> CatalogueTest:
    found = page(_without(a_test(**more)))
    assert not found.unreadable
    return found.tests[0]


def error_of(item: object) -> str:
    found = page(item)
    assert (len(found.tests), len(found.unreadable), found.raw_count) == (0, 1, 1)
    return found.unreadable[0].error


def stories_of(*stories: object, with_stories: bool = True) -> tuple[UserStory, ...]:
    content = body("features", [feature(user_stories=list(stories))])
    return wire.feature_list(content, 2001, with_stories=with_stories).features[0].stories


def _without(item: dict) -> dict:
    return {name: value for name, value in item.items() if value is not WITHOUT}


def test_a_product_is_read():
    found = wire.product_list(body("products", [product()]))

    assert found.products == [
        Product(2001, "Shop", "website", None, (Section(20000, "Section 1"),))
    ]
    assert found.unreadable == []


def test_a_feature_is_read_with_its_stories():
    found = wire.feature_list(body("features", [feature()]), 2001, with_stories=True)

    pay = UserStory(700000, 190000, "As a buyer, I can pay", "Shop > As a buyer, I can pay")
    assert found.features == [Feature(190000, 2001, "Checkout", "Pay", "Cart", (pay,))]


def test_a_test_is_read():
    assert read() == CatalogueTest(
        id=100025,
        product_id=2001,
        title="Sprint 12",
        status="locked",
        review_status="review_successful",
        testing_type="coverage",
        start_at=datetime(2026, 2, 27, 12, tzinfo=UTC),
        end_at=datetime(2026, 2, 28, 12, tzinfo=UTC),
        goal="**Goal**",
        instructions="Look",
        out_of_scope="Nothing",
        environment_id=20010,
        environment_title="Staging",
        section_id=20000,
        enable_low=True,
        enable_high=False,
        enable_critical=None,
        created_by="alice",
        submitted_by=None,
        features=(
            TestFeature(
                1000075,
                190000,
                "Checkout",
                "Pay",
                "Cart",
                enable_default=True,
                enable_content=None,
                enable_visual=False,
                user_stories=("As a buyer, I can pay",),
            ),
        ),
        platforms=(Platform(1, "computer", 6, "Windows", ("Chrome",)),),
    )


def test_no_credentials_of_an_environment_are_kept():
    test = read()

    assert "hunter2" not in repr(test)
    assert b"hunter2" not in msgspec.json.encode(test)


def test_nor_do_they_stand_in_an_error():
    found = page(a_test(title=5), a_test(test_environment={"id": "hunter2", "password": "hunter2"}))

    assert len(found.unreadable) == 2
    assert "hunter2" not in repr(found)


def test_whatever_may_be_missing_may_be_missing_or_null():
    least = page({"id": 1, "title": "t"}, dict.fromkeys(a_test()) | {"id": 2, "test_title": "t"})

    assert least.tests == [CatalogueTest(1, 2001, "t"), CatalogueTest(2, 2001, "t")]


@pytest.mark.parametrize("title", [None, "", WITHOUT])
def test_a_title_may_stand_in_the_older_field(title):
    assert read(title=title, test_title="old").title == "old"


def test_a_title_may_be_empty():
    assert read(title="", test_title=None).title == ""


@pytest.mark.parametrize(
    ("found", "moment"),
    [
        ("2026-02-28T14:00:00Z", datetime(2026, 2, 28, 14, tzinfo=UTC)),
        ("2026-02-28T14:00:00", datetime(2026, 2, 28, 14, tzinfo=UTC)),
        ("2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
        ("2026-02-28T14:00:00.250-0930", datetime(2026, 2, 28, 23, 30, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_moments_are_in_utc(found: str, moment: datetime):
    end = read(end_at=found).end_at

    assert end == moment
    assert end.tzinfo is UTC


@pytest.mark.parametrize("found", ["soon", "", "2026-02-30", "0001-01-01T00:00:00+01:00"])
def test_a_moment_that_is_none_is_named(found: str):
    assert error_of(a_test(end_at=found)) == (
        f"end_at: expected a moment in ISO 8601, of the years 1 to 9999, found {found!r}"
    )


def test_stories_may_be_titles_alone():
    assert stories_of("A", "B") == (UserStory(None, 190000, "A"), UserStory(None, 190000, "B"))


def test_a_story_may_have_a_path_and_no_title():
    assert stories_of(story(title=None, path="p"))[0].title == "p"


def test_stories_that_nobody_asked_for_are_left_out():
    assert stories_of("A", with_stories=False) == ()


def test_a_story_of_two_features_is_the_first_ones():
    content = body("features", [feature(), feature(id=190001)])

    found = wire.feature_list(content, 2001, with_stories=True).features

    assert [len(each.stories) for each in found] == [1, 0]


def test_the_stories_of_a_tests_feature_are_titles_however_they_come():
    both = test_feature(user_stories=["A", story(title="B")])

    assert read(features=[both]).features[0].user_stories == ("A", "B")


def test_what_a_test_holds_twice_is_taken_once():
    found = read(
        features=[test_feature(title="first"), test_feature(title="second")],
        requirements=[requirement(), requirement(category=None)],
    )

    assert [each.title for each in found.features] == ["first"]
    assert [each.category for each in found.platforms] == ["computer"]


def test_people_and_platforms_may_come_as_names_or_as_objects():
    plain = requirement(category="phone", operating_system="iOS", browsers=["Safari", {"id": 1}])

    found = read(created_by={"id": 1, "name": "bob"}, requirements=[plain])

    assert found.created_by == "bob"
    assert found.platforms == (Platform(1, "phone", None, "iOS", ("Safari",)),)


def test_an_item_that_comes_twice_is_given_once_and_counted_twice():
    found = page(a_test(), a_test(id=7), a_test(title="moved on"))

    assert [(test.id, test.title) for test in found.tests] == [
        (100025, "Sprint 12"),
        (7, "Sprint 12"),
    ]
    assert found.raw_count == 3
    assert found.unreadable == []


def test_an_item_that_cannot_be_read_costs_no_other():
    found = page(a_test(id=1), a_test(id=2, title=5), a_test(id=3))

    assert [test.id for test in found.tests] == [1, 3]
    assert [(each.index, each.id) for each in found.unreadable] == [(1, 2)]
    assert found.raw_count == 3


@pytest.mark.parametrize(
    ("item", "error"),
    [
        (a_test(id="1"), "id: expected int, found str"),
        (a_test(id=True), "id: expected int, found bool"),
        (a_test(id=1.5), "id: expected int, found float"),
        (a_test(id=2**63), "id: expected int <= 9223372036854775807, found another"),
        (a_test(id=-(2**64)), "id: expected int >= -9223372036854775808, found another"),
        (_without(a_test(id=WITHOUT)), "id: expected a value, found none"),
        (a_test(title=5), "title: expected str | null, found int"),
        (a_test(title=None, test_title=None), "title: expected str, found null"),
        (a_test(enable_low="yes"), "enable_low: expected bool | null, found str"),
        (a_test(features=[{"id": 1}]), "features[0].feature_id: expected a value, found none"),
        (a_test(section={"id": 2**65}), "section.id: expected int <= 9223372036854775807"),
        (
            a_test(features=[test_feature(user_stories=[{"id": 1}])]),
            "user_stories[].title: expected str, found null",
        ),
        (5, "item: expected object, found int"),
        (None, "item: expected object, found null"),
        ([], "item: expected object, found array"),
    ],
)
def test_an_error_names_field_expected_and_found(item: object, error: str):
    assert error_of(item).startswith(error)


def test_a_number_that_is_no_number_to_us_is_named_too():
    content = b'{"exploratory_tests": [{"id": %s, "title": "t"}]}' % (b"9" * 6000)

    found = wire.page_of_tests(content, 1).unreadable[0].error

    assert found == "id: expected what can be stored, found: Integer value out of range"


@pytest.mark.parametrize(("found", "known"), [(5, 5), ("5", None), (2**63, None), (None, None)])
def test_an_unreadable_item_keeps_its_id_if_it_has_one(found: object, known: int | None):
    assert page(a_test(id=found, title=5)).unreadable[0].id == known


def test_an_item_that_is_nested_too_deeply_costs_no_other():
    deep = b'{"exploratory_tests": [' + b'{"id": 1, "title": %s}' % (b"[" * 900 + b"]" * 900)
    whole = deep + b"," + json.dumps(a_test()).encode() + b"]}"

    found = wire.page_of_tests(whole, 1)

    assert [test.id for test in found.tests] == [100025]
    assert found.raw_count == 2


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"a\u0000b", "ab"),
        (r"a\ud800b", "a\ufffdb"),
        (r"a\udc00b", "a\ufffdb"),
        (r"\ud800\u0041", "\ufffdA"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\\u0000 \\ud800", r"\u0000 \ud800"),
        (r"\"\u0000\n", '"\n'),
    ],
)
def test_what_no_database_can_store_is_mended(written: str, text: str):
    content = f'{{"exploratory_tests": [{{"id": 1, "title": "{written}"}}]}}'

    assert wire.page_of_tests(content.encode(), 1).tests[0].title == text


def test_bytes_that_are_no_utf_8_are_mended():
    content = b'\xef\xbb\xbf{"products": [{"id": 1, "name": "\xed\xa0\x80\xff"}]}'

    assert set(wire.product_list(content).products[0].name) == {"\ufffd"}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "found nothing"),
        (b"<!DOCTYPE html><p>Maintenance", "found a page of HTML or XML"),
        (b"[]", "found array"),
        (b"5", "found int"),
        (b"null", "found null"),
        (b"{}", "found an empty one"),
        (b'{"error": "x", "code": 1}', "found one with code, error"),
        (b'{"products": [', "found no valid JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "found array"),
        (b'{"products":' + b"[" * 9_999 + b"]" * 9_999 + b"}", "found what is nested too deeply"),
        (b'{"products": {}}', "products: expected a list, found object"),
        (b'{"products": null}', "products: expected a list, found null"),
        (b'{"products": "x"}', "products: expected a list, found str"),
    ],
)
def test_an_answer_that_is_no_list_is_misshapen_and_says_what_it_is(content: bytes, found: str):
    with pytest.raises(Misshapen) as raised:
        wire.product_list(content)

    assert "expected a" in str(raised.value)
    assert str(raised.value).endswith(found)


def test_one_test_is_read():
    found = wire.one_test(body("exploratory_test", a_test()), 2001, 100025)

    assert found == read()


@pytest.mark.parametrize(
    ("item", "error"),
    [
        (a_test(title=5), "title: expected str"),
        (a_test(id=7), "id: expected 100025, found 7"),
        ([], "expected object, found array"),
    ],
)
def test_one_test_that_cannot_be_read_is_misshapen(item: object, error: str):
    with pytest.raises(Misshapen, match=error):
        wire.one_test(body("exploratory_test", item), 2001, 100025)
