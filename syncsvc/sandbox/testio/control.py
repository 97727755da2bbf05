"""TestIO's part of the control surface: worlds, limits, malformed answers and the load.

`?token=` names the world that is meant; without it, the first one.
"""

from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from syncsvc.sandbox.bodies import JSON_LIMIT, decode, read
from syncsvc.sandbox.identities import TESTIO_TOKEN
from syncsvc.sandbox.replies import Missing, Refusal, json_reply
from syncsvc.sandbox.testio.changes import Changes
from syncsvc.sandbox.testio.malformed import Malformed
from syncsvc.sandbox.testio.rate import Limit, Meter
from syncsvc.sandbox.testio.recipe import Recipe
from syncsvc.sandbox.testio.wishes import WORDS
from syncsvc.sandbox.testio.worlds import Customer, TestIo

PREFIX = "/__sandbox__/testio"
LONGEST_TOKEN = 200  # characters


@dataclass(frozen=True)
class TestIoControl:
    __test__ = False  # its name makes pytest curious

    testio: TestIo

    def routes(self) -> list[BaseRoute]:
        return [
            Route(f"{PREFIX}/worlds", self.worlds, methods=["GET"]),
            Route(f"{PREFIX}/world", self.world, methods=["GET"]),
            Route(f"{PREFIX}/world", self.put_world, methods=["PUT"]),
            Route(f"{PREFIX}/world", self.delete_world, methods=["DELETE"]),
            Route(f"{PREFIX}/rate", self.rate, methods=["GET"]),
            Route(f"{PREFIX}/rate", self.put_rate, methods=["PUT"]),
            Route(f"{PREFIX}/rate", self.delete_rate, methods=["DELETE"]),
            Route(f"{PREFIX}/malformed", self.malformed, methods=["GET"]),
            Route(f"{PREFIX}/malformed", self.put_malformed, methods=["PUT"]),
            Route(f"{PREFIX}/malformed", self.delete_malformed, methods=["DELETE"]),
            Route(f"{PREFIX}/load", self.load, methods=["GET"]),
            Route(f"{PREFIX}/load", self.delete_load, methods=["DELETE"]),
            *Changes(self.customer).routes(PREFIX),
        ]

    def customer(self, request: Request) -> Customer:
        """Find the world that a call means."""
        token = _token(request)
        if token not in self.testio.customers:
            raise Missing("the world of token", token)
        return self.testio.customers[token]

    async def worlds(self, request: Request) -> Response:
        known = self.testio.customers.items()
        shown = [{"token": t, "products": len(each.world.product_ids())} for t, each in known]
        return json_reply({"worlds": shown})

    async def world(self, request: Request) -> Response:
        return _summary(_token(request), self.customer(request))

    async def put_world(self, request: Request) -> Response:
        recipe = decode(await read(request, JSON_LIMIT), Recipe, WORDS)
        token = _token(request)
        return _summary(token, self.testio.put(token, recipe))

    async def delete_world(self, request: Request) -> Response:
        """Take a token away: whoever brings it is nobody from now on."""
        self.customer(request)
        del self.testio.customers[_token(request)]
        return Response(status_code=204)

    async def rate(self, request: Request) -> Response:
        return _rate(self.customer(request).meter)

    async def put_rate(self, request: Request) -> Response:
        customer = self.customer(request)
        customer.meter.put(decode(await read(request, JSON_LIMIT), Limit, WORDS))
        return _rate(customer.meter)

    async def delete_rate(self, request: Request) -> Response:
        self.customer(request).meter.put(None)
        return Response(status_code=204)

    async def malformed(self, request: Request) -> Response:
        return json_reply(self.customer(request).bodies.mischief.wished)

    async def put_malformed(self, request: Request) -> Response:
        customer = self.customer(request)
        customer.spoil(decode(await read(request, JSON_LIMIT), Malformed, WORDS))
        return json_reply(customer.bodies.mischief.wished)

    async def delete_malformed(self, request: Request) -> Response:
        self.customer(request).spoil(Malformed())
        return Response(status_code=204)

    async def load(self, request: Request) -> Response:
        """Tell how many calls are under way, and at most were; `?clear` forgets the peaks."""
        load = self.testio.load
        reply = json_reply(
            {**msgspec.to_builtins(load.total), "tokens": load.tokens, "routes": load.routes}
        )
        if "clear" in request.query_params:
            load.clear()
        return reply

    async def delete_load(self, request: Request) -> Response:
        self.testio.load.clear()
        return Response(status_code=204)


def _token(request: Request) -> str:
    found = request.query_params.get("token", TESTIO_TOKEN)
    if not found.isascii() or not found.isprintable() or not 0 < len(found) <= LONGEST_TOKEN:
        text = f"found {found[:80]!r}, expected 1 to {LONGEST_TOKEN} printable ASCII characters"
        raise Refusal(400, f"token: {text}", "token")
    return found


def _summary(token: str, customer: Customer) -> Response:
    world = customer.world
    products, poisoned = world.product_ids(), sorted(world.poisoned)
    shown = {"recipe": world.recipe, "products": products, "poisoned": poisoned}
    return json_reply({"token": token, **shown})


def _rate(meter: Meter) -> Response:
    counts = {"answered": meter.answered, "throttled": meter.throttled, "early": meter.early}
    return json_reply({"limit": meter.limit, **counts})
