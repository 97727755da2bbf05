"""Changing a world while somebody reads it: add, alter, delete, poison."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from syncsvc.sandbox.bodies import JSON_LIMIT, decode, read
from syncsvc.sandbox.replies import Refusal, json_reply
from syncsvc.sandbox.testio.asked import identifier
from syncsvc.sandbox.testio.recipe import TEST_STEP, TYPES, Feature, Test
from syncsvc.sandbox.testio.wishes import (
    WORDS,
    AddFeatures,
    AddTests,
    AlterFeature,
    AlterProduct,
    AlterTest,
    Poison,
    changes,
)
from syncsvc.sandbox.testio.world import World
from syncsvc.sandbox.testio.worlds import Customer

_T = TypeVar("_T")


@dataclass(frozen=True)
class Changes:
    customer: Callable[[Request], Customer]

    def routes(self, prefix: str) -> list[BaseRoute]:
        product, feature = f"{prefix}/products/{{product}}", f"{prefix}/features/{{feature}}"
        test = f"{prefix}/tests/{{test}}"
        return [
            Route(product, self.product, methods=["GET"]),
            Route(product, self.alter_product, methods=["PATCH"]),
            Route(product, self.remove_product, methods=["DELETE"]),
            Route(f"{product}/restore", self.restore, methods=["POST"]),
            Route(f"{product}/tests", self.add_tests, methods=["POST"]),
            Route(f"{product}/features", self.add_features, methods=["POST"]),
            Route(f"{product}/features", self.remove_features, methods=["DELETE"]),
            Route(feature, self.alter_feature, methods=["PATCH"]),
            Route(feature, self.remove_feature, methods=["DELETE"]),
            Route(test, self.alter_test, methods=["PATCH"]),
            Route(test, self.remove_test, methods=["DELETE"]),
            Route(f"{test}/poison", self.poison, methods=["PUT"]),
            Route(f"{test}/poison", self.heal, methods=["DELETE"]),
        ]

    async def product(self, request: Request) -> Response:
        return _product(self._world(request), _id(request, "product"))

    async def alter_product(self, request: Request) -> Response:
        wish = await _wish(request, AlterProduct)
        if isinstance(wish.type, str) and wish.type not in TYPES:
            text = f"type: found {wish.type[:80]!r}, expected {WORDS['type']}"
            raise Refusal(400, text, "type")
        world, product_id = self._world(request), _id(request, "product")
        world.alter_product(product_id, changes(wish))
        return _product(world, product_id)

    async def remove_product(self, request: Request) -> Response:
        self._world(request).remove_product(_id(request, "product"))
        return _done()

    async def restore(self, request: Request) -> Response:
        world, product_id = self._world(request), _id(request, "product")
        world.restore(product_id)
        return _product(world, product_id)

    async def add_tests(self, request: Request) -> Response:
        wish = await _wish(request, AddTests)
        world, product_id = self._world(request), _id(request, "product")
        added = [_add(world, product_id, wish) for _ in range(wish.count)]
        return json_reply({"tests": [_test(each) for each in reversed(added)]}, 201)

    async def alter_test(self, request: Request) -> Response:
        wish = await _wish(request, AlterTest)
        return json_reply(
            _test(self._world(request).alter_test(_id(request, "test"), changes(wish)))
        )

    async def remove_test(self, request: Request) -> Response:
        self._world(request).remove_test(_id(request, "test"))
        return _done()

    async def poison(self, request: Request) -> Response:
        wish = await _wish(request, Poison)
        world, test_id = self._world(request), _id(request, "test")
        world.test(test_id)
        world.poisoned[test_id] = wish.single == "ok"
        return _done()

    async def heal(self, request: Request) -> Response:
        world, test_id = self._world(request), _id(request, "test")
        world.test(test_id)
        world.poisoned.pop(test_id, None)
        return _done()

    async def add_features(self, request: Request) -> Response:
        wish = await _wish(request, AddFeatures)
        world, product_id = self._world(request), _id(request, "product")
        added = world.add_features(product_id, wish.count, wish.title)
        return json_reply({"features": [_feature(each) for each in added]}, 201)

    async def alter_feature(self, request: Request) -> Response:
        wish = await _wish(request, AlterFeature)
        altered = self._world(request).alter_feature(_id(request, "feature"), changes(wish))
        return json_reply(_feature(altered))

    async def remove_feature(self, request: Request) -> Response:
        self._world(request).remove_feature(_id(request, "feature"))
        return _done()

    async def remove_features(self, request: Request) -> Response:
        self._world(request).remove_features(_id(request, "product"))
        return _done()

    def _world(self, request: Request) -> World:
        return self.customer(request).world


async def _wish(request: Request, kind: type[_T]) -> _T:
    return decode(await read(request, JSON_LIMIT) or b"{}", kind, WORDS)


def _id(request: Request, kind: str) -> int:
    return identifier(request.path_params, kind)


def _add(world: World, product_id: int, wish: AddTests) -> Test:
    end_at = wish.end_at
    if end_at is None:
        newest = world.test_ids(product_id)[:1]
        end_at = world.test(newest[0]).end_at + TEST_STEP if newest else world.recipe.newest_end_at
    return world.add_test(Test(0, product_id, wish.title or "", wish.status, end_at))


def _product(world: World, product_id: int) -> Response:
    product = world.product(product_id)
    return json_reply(
        {
            "id": product.id,
            "name": product.name,
            "type": product.type,
            "sections": list(product.section_ids),
            "tests": [_test(world.test(each)) for each in world.test_ids(product_id)],
            "features": [_feature(each) for each in world.features(product_id)],
        }
    )


def _test(of: Test) -> dict[str, Any]:
    end_at = of.end_at.isoformat()
    return {"id": of.id, "title": of.title, "status": of.status, "end_at": end_at}


def _feature(of: Feature) -> dict[str, Any]:
    return {"id": of.id, "title": of.title}


def _done() -> Response:
    return Response(status_code=204)
