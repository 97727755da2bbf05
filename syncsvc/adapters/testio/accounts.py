"""Accounts of TestIO: whose catalogues we may read, where, and with which token."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit

from syncsvc.adapters.calling import checked_url
from syncsvc.catalogue.ports import Customer
from syncsvc.errors import Rejected
from syncsvc.settings import Settings, TestIoCustomer, is_loopback
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

DEFAULT = "default"  # the customer of whoever has only one
URL, TOKEN = "SYNCSVC_TESTIO_URL", "SYNCSVC_TESTIO_TOKEN"
CUSTOMERS = "SYNCSVC_TESTIO_CUSTOMERS"


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's way in; `url_from` and `token_from` name what sets the two."""

    customer: Customer
    base_url: str
    token: str = field(repr=False)
    url_from: str = URL
    token_from: str = TOKEN

    @property
    def place(self) -> str:
        """Name what has limits of its own: a token at a server. It does not tell the token."""
        return f"{self.base_url} {sha256(self.token.encode()).hexdigest()[:16]}"


def accounts_from(settings: Settings) -> tuple[Account, ...]:
    """Give the accounts that are configured: those listed, or the one of the single token.

    Raises Rejected, naming the setting, for a name that comes twice, for an address that is none,
    and for a token that no header takes. An address without TLS is worth a warning.
    """
    accounts = _listed(settings) if settings.testio_customers else _single(settings)
    for account in accounts:
        _check_token(account)
        _warn_without_tls(account)
    return accounts


def _single(settings: Settings) -> tuple[Account, ...]:
    if settings.testio_token is None:
        return ()
    customer = Customer(DEFAULT, settings.testio_product_ids, settings.testio_since)
    token = settings.testio_token.get_secret_value()
    return (Account(customer, checked_url(URL, settings.testio_url), token),)


def _listed(settings: Settings) -> tuple[Account, ...]:
    names = [each.name for each in settings.testio_customers]
    twice = _twice(names)
    if twice is not None:
        raise Rejected(f"{CUSTOMERS}: expected each name once, found {twice!r} twice")
    return tuple(_one_of_several(each, settings) for each in settings.testio_customers)


def _one_of_several(listed: TestIoCustomer, settings: Settings) -> Account:
    """Build an account; what it does not say is as for all."""
    url_from = f"{CUSTOMERS}, url of {listed.name!r}" if listed.url else URL
    ids = settings.testio_product_ids if listed.product_ids is None else listed.product_ids
    return Account(
        Customer(listed.name, ids, listed.since or settings.testio_since),
        checked_url(url_from, listed.url or settings.testio_url),
        listed.token.get_secret_value(),
        url_from=url_from,
        token_from=f"{CUSTOMERS}, token of {listed.name!r}",
    )


def _twice(names: Sequence[str]) -> str | None:
    return next((name for name in names if names.count(name) > 1), None)


def _warn_without_tls(account: Account) -> None:
    parts = urlsplit(account.base_url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        log.warning(
            "tokens are sent to TestIO without TLS", setting=account.url_from, host=parts.hostname
        )


def _check_token(account: Account) -> None:
    token = account.token
    if not token or not all("!" <= sign <= "~" for sign in token):
        raise Rejected(
            f"{account.token_from}: expected a token of printable ASCII without spaces, "
            f"found {'other characters in it' if token else 'an empty one'}"
        )
