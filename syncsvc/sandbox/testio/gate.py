"""Who may ask TestIO, how often, and what is answered wrongly on purpose."""

import time
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from syncsvc.sandbox.replies import CUSTOMER, error_reply
from syncsvc.sandbox.testio.load import BEGAN, token_of
from syncsvc.sandbox.testio.worlds import Customer, TestIo

_CUSTOMER = "sandbox.customer"
_ROOT = f"{CUSTOMER}v2"


@dataclass(frozen=True)
class Gate:
    """Finds out by its token whose world a call means."""

    app: ASGIApp
    testio: TestIo

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.app
        if scope["type"] == "http" and scope["path"].startswith(CUSTOMER):
            customer = self.testio.customers.get(token_of(scope))
            if customer is None:
                answer = error_reply(401, "expected the header Authorization: Token <token>")
            else:
                answer = self._answer(customer, scope)
        await answer(scope, receive, send)

    def _answer(self, customer: Customer, scope: Scope) -> ASGIApp:
        scope[_CUSTOMER] = customer
        pause = customer.meter.refuse(scope.get(BEGAN, time.monotonic()))
        if pause is not None:
            return error_reply(429, "Too many requests", {"Retry-After": pause})
        wrong = customer.bodies.mischief.answer(scope["path"].removeprefix(_ROOT))
        return wrong or self.app


def customer_of(request: Request) -> Customer:
    found = request.scope[_CUSTOMER]
    assert isinstance(found, Customer), "the gate lets nobody in who has no world"
    return found
