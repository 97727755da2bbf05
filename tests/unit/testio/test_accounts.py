"""Which customers are configured, and what is said of settings that cannot be used."""

from datetime import UTC, datetime

import httpx
import pytest
import structlog

from syncsvc.adapters.testio.accounts import Account, accounts_from
from syncsvc.adapters.testio.calls import Manner
from syncsvc.adapters.testio.client import TestIoSource
from syncsvc.adapters.testio.sources import (
    TestIoSources,
    gate_terms_from,
    http_from,
    manner_from,
)
from syncsvc.catalogue.ports import Customer
from syncsvc.errors import Rejected, Unknown
from syncsvc.settings import Settings
from tests.support.gates import OpenGate

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def settings(**fields: object) -> Settings:
    return Settings(_env_file=None, **fields)


def several(*customers: dict[str, object], **fields: object) -> tuple[Account, ...]:
    return accounts_from(settings(testio_customers=customers, **fields))


def sources(*accounts: Account) -> TestIoSources:
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    return TestIoSources(accounts, http, OpenGate())


def test_one_token_is_one_customer():
    account, *more = accounts_from(
        settings(testio_token="t", testio_product_ids=(1, 2), testio_since=SINCE)
    )

    assert account.customer == Customer("default", (1, 2), SINCE)
    assert (account.base_url, account.token) == ("https://api.test.io/customer/v2", "t")
    assert more == []


def test_customers_take_what_they_do_not_say_from_the_settings_for_all():
    plain, special = several(
        {"name": "a", "token": "ta"},
        {
            "name": "b",
            "token": "tb",
            "url": "https://b.invalid/v2/",
            "product_ids": (),
            "since": SINCE,
        },
        testio_product_ids=(1,),
        testio_url="https://all.invalid/",
        testio_token="not asked for",
    )

    assert plain.customer == Customer("a", (1,), None)
    assert plain.base_url == "https://all.invalid"
    assert special.customer == Customer("b", (), SINCE)
    assert (special.base_url, special.token) == ("https://b.invalid/v2", "tb")


def test_without_a_token_there_is_no_customer():
    assert accounts_from(settings()) == ()


def test_a_name_that_comes_twice_is_rejected():
    with pytest.raises(Rejected, match=r"SYNCSVC_TESTIO_CUSTOMERS: .* once, found 'a' twice"):
        several(
            {"name": "a", "token": "1"}, {"name": "b", "token": "2"}, {"name": "a", "token": "3"}
        )


@pytest.mark.parametrize(
    "url",
    [
        "api.test.io",
        "ftp://api.test.io",
        "https://",
        "https://host:port",
        "https://me:s3cret@host",
        "ftp://me:s3cret@host",
        "https://host/?token=s3cret",
        "https://ho st",
    ],
)
def test_an_address_that_is_none_is_rejected_by_its_setting_and_tells_no_secret(url: str):
    with pytest.raises(Rejected, match="SYNCSVC_TESTIO_URL: expected http") as raised:
        accounts_from(settings(testio_token="t", testio_url=url))

    assert "s3cret" not in str(raised.value)


def test_a_customers_address_is_named_as_his():
    with pytest.raises(Rejected, match="SYNCSVC_TESTIO_CUSTOMERS, url of 'a': expected http"):
        several({"name": "a", "token": "t", "url": "nonsense"})


@pytest.mark.parametrize("token", ["s3cret token", "s3cret\n", "s3cret\u0442"])
def test_a_token_that_no_header_takes_is_rejected_and_not_told(token: str):
    with pytest.raises(Rejected, match="SYNCSVC_TESTIO_TOKEN: expected a token") as raised:
        accounts_from(settings(testio_token=token))

    assert "s3cret" not in str(raised.value)


def test_an_empty_token_is_rejected_by_its_customer():
    with pytest.raises(Rejected, match=r"token of 'a': expected .*, found an empty one"):
        several({"name": "a", "token": ""})


@pytest.mark.parametrize(
    ("url", "warnings"),
    [
        ("http://testio.invalid", ["SYNCSVC_TESTIO_URL"]),
        ("https://testio.invalid", []),
        ("http://127.0.0.1:8000/v2", []),
        ("http://[::1]:8000", []),
        ("http://localhost", []),
    ],
)
def test_a_way_without_tls_is_worth_a_warning_except_on_this_host(url: str, warnings: list[str]):
    with structlog.testing.capture_logs() as lines:
        accounts_from(settings(testio_token="s3cret", testio_url=url))

    assert [line["setting"] for line in lines if line["log_level"] == "warning"] == warnings
    assert "s3cret" not in str(lines)


def test_the_only_customer_needs_no_name():
    only = sources(*several({"name": "a", "token": "t"}))

    assert only.customer(None) == only.customer("a") == Customer("a")
    assert only.customers == [Customer("a")]


@pytest.mark.parametrize(("name", "found"), [(None, "none"), ("c", "'c'")])
def test_of_several_one_must_be_named(name: str | None, found: str):
    two = sources(*several({"name": "a", "token": "1"}, {"name": "b", "token": "2"}))

    with pytest.raises(Unknown, match=f"expected one of a, b, found {found}"):
        two.customer(name)
    with pytest.raises(Unknown, match="expected one of a, b, found 'c'"):
        two.of("c")


def test_without_customers_the_settings_to_set_are_named():
    with pytest.raises(Unknown, match="SYNCSVC_TESTIO_TOKEN"):
        sources().customer(None)
    with pytest.raises(Unknown, match="SYNCSVC_TESTIO_TOKEN"):
        sources().of("default")


def test_each_customer_has_a_source_and_nothing_shows_its_token():
    two = sources(*several({"name": "a", "token": "s3cret-1"}, {"name": "b", "token": "s3cret-2"}))

    source = two.of("b")

    assert isinstance(source, TestIoSource)
    assert source.calls.account.token == "s3cret-2"
    assert "s3cret" not in repr(two) + repr(source)


async def test_the_way_and_the_terms_are_those_of_the_settings():
    chosen = settings(testio_at_once=7, testio_per_second=50, testio_timeout="3s")

    http, terms = http_from(chosen), gate_terms_from(chosen)

    assert (http.timeout.read, http.follow_redirects) == (3, False)
    assert (terms.at_once, terms.rate.per_second, terms.rate.burst) == (7, 50, 7)
    assert terms.longest > chosen.testio_timeout
    assert manner_from(chosen, terms) == Manner(chosen.testio_timeout, terms.patience)
    await http.aclose()


@pytest.mark.parametrize(
    ("field", "value", "setting"),
    [
        ("testio_ca_file", "/nowhere.pem", "SYNCSVC_TESTIO_CA_FILE"),
        ("testio_proxy", "ftp://me:s3cret@host", "SYNCSVC_TESTIO_PROXY"),
    ],
)
def test_a_way_that_cannot_be_used_is_rejected_by_its_setting(field, value, setting):
    with pytest.raises(Rejected, match=f"{setting}: expected") as raised:
        http_from(settings(**{field: value}))

    assert "s3cret" not in str(raised.value)


async def test_certificates_that_are_not_verified_are_worth_a_warning():
    with structlog.testing.capture_logs() as lines:
        await http_from(settings(testio_verify_tls=False)).aclose()

    assert [line["setting"] for line in lines] == ["SYNCSVC_TESTIO_VERIFY_TLS"]
    assert "TestIO" in lines[0]["event"]
