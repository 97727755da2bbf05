"""What TestIO answers: everything that can be read of a catalogue."""

from collections.abc import Sequence
from itertools import chain

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from syncsvc.sandbox.replies import CUSTOMER, Refusal, error_reply
from syncsvc.sandbox.testio.asked import EXPORTS, Asked, identifier
from syncsvc.sandbox.testio.bug_wire import bug_ids
from syncsvc.sandbox.testio.gate import customer_of
from syncsvc.sandbox.testio.tests_wire import section_id
from syncsvc.sandbox.testio.world import World

ROOT = f"{CUSTOMER}v2"
MOST_BUGS = 5_000  # more take the real service longer than its proxy waits


def routes() -> list[BaseRoute]:
    known = {
        "/products": products,
        "/products/{product}": product,
        "/products/{product}/features": features,
        "/products/{product}/sections/{section}/features": section_features,
        "/products/{product}/user_stories": user_stories,
        "/user_stories/{story}": user_story,
        "/products/{product}/exploratory_tests": tests,
        "/exploratory_tests/{test}": test,
        "/bugs": bugs,
        "/bugs/{bug}": bug,
    }
    return [Route(ROOT + path, answer, methods=["GET"]) for path, answer in known.items()]


async def products(request: Request) -> Response:
    customer, wanted = customer_of(request), Asked(request.query_params)
    ids = wanted.each("filter[product_ids][]")
    known = customer.world.product_ids()
    return _json(customer.bodies.products(each for each in known if ids is None or each in ids))


async def product(request: Request) -> Response:
    return _json(customer_of(request).bodies.product(identifier(request.path_params, "product")))


async def features(request: Request) -> Response:
    """Show all features, of sectioned products too."""
    bodies, wanted = customer_of(request).bodies, Asked(request.query_params)
    product_id = identifier(request.path_params, "product")
    return _json(bodies.features(product_id, None, with_stories=wanted.with_stories))


async def section_features(request: Request) -> Response:
    customer, wanted = customer_of(request), Asked(request.query_params)
    product_id = identifier(request.path_params, "product")
    section = identifier(request.path_params, "section")
    _check_section(customer.world, product_id, section, 404)
    shown = customer.bodies.features(product_id, section, with_stories=wanted.with_stories)
    return _json(shown)


async def user_stories(request: Request) -> Response:
    customer, wanted = customer_of(request), Asked(request.query_params)
    product_id = identifier(request.path_params, "product")
    section = wanted.number("section_id")
    if section is not None:
        _check_section(customer.world, product_id, section, 422)
    elif customer.world.product(product_id).is_sectioned:
        raise Refusal(422, "section_id: found nothing, expected a section of this product")
    return _json(customer.bodies.stories(product_id, section))


async def user_story(request: Request) -> Response:
    bodies = customer_of(request).bodies
    return _json(bodies.story(identifier(request.path_params, "story")))


async def tests(request: Request) -> Response:
    customer, wanted = customer_of(request), Asked(request.query_params)
    ids = customer.world.test_ids(identifier(request.path_params, "product"))
    shown = customer.bodies.tests(ids[wanted.window()], with_stories=wanted.with_stories)
    return _json(shown)


async def test(request: Request) -> Response:
    bodies, wanted = customer_of(request).bodies, Asked(request.query_params)
    test_id = identifier(request.path_params, "test")
    return _json(bodies.test(test_id, with_stories=wanted.with_stories))


async def bugs(request: Request) -> Response:
    customer, wanted = customer_of(request), Asked(request.query_params)
    ids = _tests_with_bugs(customer.world, wanted)
    if wanted.word("export_status", EXPORTS) not in (None, "not_exported"):
        ids = []  # nothing here is ever exported
    recipe = customer.world.recipe
    if len(ids) * recipe.bugs > MOST_BUGS:
        return error_reply(524, "A timeout occurred")
    of_each = (bug_ids(recipe, each) for each in ids)
    return _json(customer.bodies.bugs(chain.from_iterable(of_each)))


async def bug(request: Request) -> Response:
    return _json(customer_of(request).bodies.bug(identifier(request.path_params, "bug")))


def _tests_with_bugs(world: World, wanted: Asked) -> Sequence[int]:
    of_products = wanted.listed("filter_product_ids")
    of_sections = wanted.listed("filter_section_ids")
    of_tests = wanted.listed("filter_test_cycle_ids")
    products = [p for p in world.product_ids() if of_products is None or p in of_products]
    return [
        each
        for product_id in products
        for each in world.test_ids(product_id)
        if (of_tests is None or each in of_tests)
        and (of_sections is None or _section(world, each) in of_sections)
    ]


def _section(world: World, test_id: int) -> int:
    test = world.test(test_id)
    return section_id(test, world.product(test.product_id))


def _check_section(world: World, product_id: int, section: int, status: int) -> None:
    product = world.product(product_id)
    if section not in (*product.section_ids, product.default_section_id):
        found = f"found {section}, expected a section of this product"
        raise Refusal(status, f"section_id: {found}", "section_id")


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json; charset=utf-8")
