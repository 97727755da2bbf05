"""TestIO's catalogue: the shapes of its answers, its pages and its filters."""

import asyncio
import time

import pytest

from syncsvc.sandbox.testio import recipe as rules
from syncsvc.sandbox.testio.bodies import Bodies
from syncsvc.sandbox.testio.recipe import Recipe
from syncsvc.sandbox.testio.world import World
from tests.support.testio import a_catalogue

TEXT, NUMBER, SWITCH, NOTHING = str, int, bool, type(None)
MAYBE = (str, NOTHING)

SECTION = {
    "id": NUMBER,
    "name": TEXT,
    "connection": NOTHING,
    "test_templates": {"total": NUMBER, "count": NUMBER},
}
PRODUCT = {
    "id": NUMBER,
    "name": TEXT,
    "description": MAYBE,
    "type": TEXT,
    "default_section_id": NUMBER,
    "sections": [SECTION],
    "sections_with_default": [SECTION],
    "connection": NOTHING,
    "remote_device_testing": SWITCH,
}
STORY = {"id": NUMBER, "path": TEXT, "title": TEXT}
FEATURE = {
    "id": NUMBER,
    "title": TEXT,
    "description": MAYBE,
    "howtofind": MAYBE,
    "target_idx": NOTHING,
    "user_stories": [TEXT],
}
EXPANDED = {**FEATURE, "user_stories": [{**STORY, "feature_id": NUMBER}]}
LINK = {
    "id": NUMBER,
    "feature_id": NUMBER,
    "title": TEXT,
    "description": TEXT,
    "location": TEXT,
    "howtofind": TEXT,
    "target_idx": NOTHING,
    "enable_default": SWITCH,
    "enable_content": NOTHING,
    "enable_visual": SWITCH,
    "custom_report_configurations": [],
    "user_stories": [TEXT],
}
KEYED = {"id": NUMBER, "key": TEXT, "name": TEXT}
REQUIREMENT = {
    "id": NUMBER,
    "browsers": [KEYED],
    "category": KEYED,
    "devices": [],
    "input_devices": [],
    "max_operating_system_version": NOTHING,
    "min_operating_system_version": {"id": NUMBER, "name": TEXT},
    "operating_system": KEYED,
    "vendor": NOTHING,
    "browser_based": SWITCH,
    "gaming": SWITCH,
}
ENVIRONMENT = {
    "id": NUMBER,
    "title": TEXT,
    "url": TEXT,
    "username": TEXT,
    "password": TEXT,
    "access": TEXT,
    "proxy": SWITCH,
    "allow_orders": SWITCH,
    "access_type": TEXT,
    "environment_test_information": NOTHING,
    "binary_app": NOTHING,
}
REVIEW = {
    "status": TEXT,
    "instruction_comment": NOTHING,
    "test_environment_comment": NOTHING,
    "feature_comment": NOTHING,
    "bug_type_comment": NOTHING,
    "reviewed_at": TEXT,
}
TEST = {
    "id": NUMBER,
    "test_title": TEXT,
    "title": TEXT,
    "status": TEXT,
    "test_environment": ENVIRONMENT,
    "features": [LINK],
    "goal": TEXT,
    "goal_text": TEXT,
    "out_of_scope": TEXT,
    "out_of_scope_text": TEXT,
    "instructions": TEXT,
    "instructions_text": TEXT,
    "testing_type": TEXT,
    "attachments": [],
    "requirements": [REQUIREMENT],
    "report_language": TEXT,
    "section": SECTION,
    "product": PRODUCT,
    "enable_low": SWITCH,
    "enable_high": SWITCH,
    "enable_critical": SWITCH,
    "allow_device_clouds_test_scenario": SWITCH,
    "created_by": MAYBE,
    "submitted_by": MAYBE,
    "start_at": TEXT,
    "end_at": TEXT,
    "allowed_bug_types": [TEXT],
    "reviews": [REVIEW],
    "review_status": TEXT,
    "demo": SWITCH,
}
FIGURES = (
    "testers_count devices_count total_features tested_features passed_features failed_features "
    "total_user_stories tested_user_stories passed_user_stories failed_user_stories "
    "blocked_user_stories total_bugs"
)
ALONE = {
    **TEST,
    "features": [
        {
            **LINK,
            "execution_status": TEXT,
            "tester_count": NUMBER,
            "bugs_found": NUMBER,
            "bug_ids": [],
        }
    ],
    "analytics": dict.fromkeys(FIGURES.split(), NUMBER),
}
NAMED, TITLED = {"id": NUMBER, "name": TEXT}, {"id": NUMBER, "title": TEXT}
BUG = {
    "id": NUMBER,
    "title": TEXT,
    "severity": TEXT,
    "status": TEXT,
    "auto_accepted": SWITCH,
    "language": TEXT,
    "location": TEXT,
    "expected_result": TEXT,
    "actual_result": TEXT,
    "steps": TEXT,
    "author": {"name": TEXT},
    "test": TITLED,
    "product": NAMED,
    "test_feature": TITLED,
    "feature": TITLED,
    "comments": [],
    "devices": [
        {
            "id": NUMBER,
            "category": {"name": TEXT},
            "vendor": {"name": TEXT},
            "devices": {"name": TEXT},
            "operating_system": NAMED,
            "browsers": [{"name": TEXT}],
        }
    ],
    "attachments": [],
    "known": SWITCH,
    "exported_at": NOTHING,
    "reported_at": TEXT,
}


def differences(found, shape, where="$"):
    """List where an answer is not what its shape says, keys and types."""
    if isinstance(shape, dict):
        if not isinstance(found, dict) or found.keys() != shape.keys():
            return [f"{where}: {found!r}"]
        return [d for k in shape for d in differences(found[k], shape[k], f"{where}.{k}")]
    if isinstance(shape, list):
        if not isinstance(found, list) or (found and not shape):
            return [f"{where}: {found!r}"]
        return [d for n, x in enumerate(found) for d in differences(x, shape[0], f"{where}[{n}]")]
    kinds = shape if isinstance(shape, tuple) else (shape,)
    return [] if type(found) in kinds else [f"{where}: {found!r}"]


@pytest.fixture
async def testio():
    async with a_catalogue(sectioned=0.34) as catalogue:
        yield catalogue


@pytest.mark.parametrize(
    ("path", "query", "shape"),
    [
        ("/products", {}, {"products": [PRODUCT]}),
        ("/products/2001", {}, {"product": PRODUCT}),
        ("/products/2015", {}, {"product": PRODUCT}),
        ("/products/2001/features", {}, {"features": [FEATURE]}),
        (
            "/products/2001/features",
            {"includes[]": "user_stories"},
            {"features": [EXPANDED]},
        ),
        ("/products/2015/sections/20009/features", {}, {"features": [FEATURE]}),
        ("/products/2001/user_stories", {}, {"user_stories": [STORY]}),
        ("/products/2015/user_stories", {"section_id": 20009}, {"user_stories": [STORY]}),
        ("/user_stories/700005", {}, STORY),
        ("/products/2001/exploratory_tests", {"page": 1}, {"exploratory_tests": [TEST]}),
        ("/products/2015/exploratory_tests", {}, {"exploratory_tests": [TEST]}),
        ("/exploratory_tests/100003", {}, {"exploratory_test": ALONE}),
        ("/bugs", {"filter_product_ids": "2001,2008"}, {"bugs": [BUG]}),
        ("/bugs/2000003", {}, {"bug": BUG}),
    ],
)
async def test_an_answer_has_the_fields_and_types_of_the_real_service(testio, path, query, shape):
    told = await testio.told(path, **query)

    assert differences(told, shape) == []
    assert all(told.values())


async def test_a_test_s_features_tell_stories_as_objects_if_asked(testio):
    query = {"page": 1, "includes[]": "user_stories"}

    told = await testio.told("/products/2001/exploratory_tests", **query)

    link = {**LINK, "user_stories": [{**STORY, "feature_id": NUMBER}]}
    assert differences(told, {"exploratory_tests": [{**TEST, "features": [link]}]}) == []


@pytest.mark.parametrize("given", ["Token wrong", "PrivateToken sandbox-testio", "Token", ""])
async def test_a_stranger_is_turned_away(testio, given):
    reply = await testio.http.get(f"{testio.url}/products", headers={"Authorization": given})

    assert (reply.status_code, list(reply.json())) == (401, ["error"])


async def test_only_the_wanted_products_are_listed(testio):
    told = await testio.told("/products", **{"filter[product_ids][]": [2001, 2015, 9]})

    assert [each["id"] for each in told["products"]] == [2001, 2015]


@pytest.mark.parametrize(
    "path",
    [
        "/products/9",
        "/products/x",
        "/products/9/features",
        "/products/2001/sections/9/features",
        "/products/9/exploratory_tests",
        "/exploratory_tests/9",
        "/user_stories/9",
        "/bugs/9",
        "/nowhere",
    ],
)
async def test_what_does_not_exist_is_not_found(testio, path):
    reply = await testio.ask(path)

    assert (reply.status_code, list(reply.json())) == (404, ["error"])


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("/products/2001/exploratory_tests", {"page": 0}, "page"),
        ("/products/2001/exploratory_tests", {"page": "x"}, "page"),
        ("/products/2001/exploratory_tests", {"page": 1, "per_page": -1}, "per_page"),
        ("/products", {"filter[product_ids][]": "a"}, "filter[product_ids][]"),
        ("/products/2015/user_stories", {}, "section_id"),
        ("/products/2001/user_stories", {"section_id": 9}, "section_id"),
        ("/bugs", {"filter_product_ids": "1,"}, "filter_product_ids"),
        ("/bugs", {"export_status": "perhaps"}, "export_status"),
    ],
)
async def test_a_bad_parameter_is_refused_by_its_name(testio, path, query, named):
    reply = await testio.ask(path, **query)

    assert reply.status_code == 422
    assert reply.json()["error"].startswith(f"{named}: found ")
    assert "expected" in reply.json()["error"]


async def test_a_sectioned_product_lists_all_features_and_each_section_some(testio):
    def ids(told):
        return {each["id"] for each in told["features"]}

    everything = ids(await testio.told("/products/2015/features"))
    parts = [
        ids(await testio.told(f"/products/2015/sections/{n}/features")) for n in range(20009, 20012)
    ]

    assert everything == set.union(*parts)
    assert all(part < everything for part in parts)


async def test_pages_put_together_are_the_whole_list_newest_first():
    async with a_catalogue(products=2, tests=160, ties=3) as testio:
        path = "/products/2008/exploratory_tests"
        pages = [
            (await testio.told(path, page=n, per_page=40))["exploratory_tests"] for n in range(1, 6)
        ]

    found = [(each["end_at"], each["id"]) for page in pages for each in page]
    assert [len(page) for page in pages] == [40, 40, 40, 40, 0]
    assert found == sorted(found, reverse=True)
    assert len({end for end, _ in found}) == 54


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({}, 150),
        ({"per_page": 10}, 150),
        ({"page": 1}, 25),
        ({"page": 7}, 10),
        ({"page": 1, "per_page": 100}, 100),
        ({"page": 1, "per_page": 101}, 100),
        ({"page": 9}, 0),
    ],
)
async def test_a_page_has_as_many_tests_as_the_real_service_gives(query, number):
    async with a_catalogue(products=1, tests=160) as testio:
        told = await testio.told("/products/2001/exploratory_tests", **query)

    assert len(told["exploratory_tests"]) == number


async def test_bugs_are_filtered_by_test_and_by_export(testio):
    of_test = await testio.told("/bugs", filter_test_cycle_ids="100003,100004")
    exported = await testio.told("/bugs", export_status="exported")

    assert {each["test"]["id"] for each in of_test["bugs"]} == {100003, 100004}
    assert exported["bugs"] == []


async def test_too_many_bugs_take_too_long():
    async with a_catalogue(products=1, tests=5001) as testio:
        reply = await testio.ask("/bugs")

    assert (reply.status_code, list(reply.json())) == (524, ["error"])


async def test_every_environment_holds_a_recognisable_secret(testio):
    listed = await testio.told("/products/2001/exploratory_tests", page=1)
    alone = await testio.told("/exploratory_tests/100003")

    for each in [*listed["exploratory_tests"], alone["exploratory_test"]]:
        environment = each["test_environment"]
        assert environment["password"] == f"hunter2-{each['id']}"
        assert "hunter2" in environment["username"]
        assert "hunter2" in environment["access"]


async def test_the_same_seed_gives_the_same_and_another_gives_other_content():
    async def content(seed):
        async with a_catalogue(seed=seed) as testio:
            return (await testio.ask("/products/2001/exploratory_tests", page=1)).content

    first, again, other = await asyncio.gather(content(1), content(1), content(2))

    assert first == again
    assert first != other


def test_a_share_of_the_tests_still_changes_and_it_is_the_newest():
    wanted = Recipe(products=1, tests=100, running=0.25)
    found = [rules.test(wanted, each) for each in rules.test_ids(wanted, 2001)]

    is_mutable = [each.status not in {"archived", "cancelled"} for each in found]

    assert is_mutable == [True] * 25 + [False] * 75


def test_a_share_of_the_products_has_sections():
    wanted = Recipe(products=50, sectioned=0.2)

    found = [rules.product(wanted, each) for each in rules.product_ids(wanted)]

    assert sum(each.is_sectioned for each in found) == 10


@pytest.mark.parametrize("empty", ["products", "features", "tests", "stories", "bugs"])
async def test_a_world_may_have_none_of_something(empty):
    async with a_catalogue(**{empty: 0}) as testio:
        listed = (await testio.told("/products"))["products"]
        replies = [
            await testio.ask(f"/products/{each['id']}/{part}")
            for each in listed
            for part in ("features", "user_stories", "exploratory_tests")
        ]
        bugs = await testio.ask("/bugs")

    assert {reply.status_code for reply in [*replies, bugs]} <= {200}


@pytest.mark.alone
def test_a_large_world_costs_nothing_until_it_is_read():
    began = time.perf_counter()
    bodies = Bodies(World(Recipe(products=1000, features=20, tests=200)))
    ids = bodies.world.test_ids(2001 + 7 * 500)[:25]
    page = bodies.tests(ids, with_stories=False)
    taken = time.perf_counter() - began

    assert page.count(b'"test_title"') == 25
    assert taken < 0.5  # some milliseconds, on a machine that has time


def test_kept_answers_are_bounded():
    bodies = Bodies(World(Recipe(products=1, tests=30)), most_kept=10)

    bodies.tests(bodies.world.test_ids(2001), with_stories=False)

    assert len(bodies.kept) == 10
