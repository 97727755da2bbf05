"""The catalogues of all accounts of TestIO that are configured."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from syncsvc.adapters.calling import Server, Way
from syncsvc.adapters.calling import new_http as new_client
from syncsvc.adapters.testio.accounts import CUSTOMERS, TOKEN, Account
from syncsvc.adapters.testio.calls import Manner, TestIoCalls
from syncsvc.adapters.testio.client import TestIoSource
from syncsvc.catalogue.ports import Customer, Source
from syncsvc.coordination.gate.model import Rate, Terms
from syncsvc.coordination.gate.ports import Gate
from syncsvc.errors import Unknown
from syncsvc.settings import Settings

TEST_IO = Server("TestIO", "SYNCSVC_TESTIO")
IN_ALL = timedelta(seconds=5)  # a turn takes little longer than the wait for its answer


@dataclass
class TestIoSources:
    """Sources, each with a gate's place of its own."""

    __test__ = False  # not one of pytest's classes

    accounts: Sequence[Account]
    http: httpx.AsyncClient
    gate: Gate
    manner: Manner = field(default_factory=Manner)
    _by_name: dict[str, Source] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._by_name = {
            each.customer.name: TestIoSource(TestIoCalls(each, self.http, self.gate, self.manner))
            for each in self.accounts
        }

    @property
    def customers(self) -> Sequence[Customer]:
        return [each.customer for each in self.accounts]

    def customer(self, name: str | None) -> Customer:
        customers = self.customers
        if name is None and len(customers) == 1:
            return customers[0]
        found = next((each for each in customers if each.name == name), None)
        if found is None:
            raise self._unknown(name)
        return found

    def of(self, name: str) -> Source:
        if name not in self._by_name:
            raise self._unknown(name)
        return self._by_name[name]

    def _unknown(self, name: str | None) -> Unknown:
        if not self.accounts:
            return Unknown(f"no customer of TestIO is configured: set {TOKEN}, or {CUSTOMERS}")
        names = ", ".join(self._by_name)
        found = "none" if name is None else repr(name)
        return Unknown(f"customer: expected one of {names}, found {found}")


def http_from(settings: Settings) -> httpx.AsyncClient:
    """Give the client that all accounts share. Raises Rejected, naming the setting."""
    proxy = settings.testio_proxy
    way = Way(
        settings.testio_timeout,
        settings.testio_ca_file,
        settings.testio_verify_tls,
        proxy.get_secret_value() if proxy else None,
        settings.testio_at_once * max(len(settings.testio_customers), 1),
    )
    return new_client(TEST_IO, way)


def gate_terms_from(settings: Settings) -> Terms:
    """Say what the gate before each account promises."""
    rate = Rate(settings.testio_per_second, burst=settings.testio_at_once)
    return Terms(settings.testio_at_once, longest=settings.testio_timeout + IN_ALL, rate=rate)


def manner_from(settings: Settings, terms: Terms) -> Manner:
    return Manner(limit=settings.testio_timeout, patience=terms.patience)
