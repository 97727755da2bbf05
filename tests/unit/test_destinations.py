"""A token goes only to the base URL that came with it."""

import pytest

from syncsvc.adapters.testit.destinations import TestItDestinations
from syncsvc.errors import Rejected
from syncsvc.runs.model import Destination

OURS = "https://testit.example"
CONFIGURED = TestItDestinations(OURS + "/", "configured")


def test_a_worker_that_names_nothing_names_nothing():
    assert CONFIGURED.named(None, None) is None


def test_a_worker_names_its_server_and_its_token():
    named = CONFIGURED.named("https://other.example/", "own")

    assert named == Destination("https://other.example", "own")
    assert CONFIGURED.token_for(named) == "own"


def test_the_configured_token_never_goes_to_a_server_that_a_worker_named():
    with pytest.raises(Rejected, match=r"privateToken: expected a token for https://evil.example"):
        CONFIGURED.named("https://evil.example", None)
    with pytest.raises(Rejected, match=r"no token for https://evil.example"):
        CONFIGURED.token_for(Destination("https://evil.example"))


@pytest.mark.parametrize(
    "url", ["https://testit.example.evil", "https://testit.example/evil", "http://testit.example"]
)
def test_a_server_that_only_looks_like_the_configured_one_is_another(url):
    with pytest.raises(Rejected):
        CONFIGURED.token_for(Destination(url))


def test_the_configured_server_may_be_named_without_its_token():
    named = CONFIGURED.named(OURS, None)

    assert named == CONFIGURED.default() == Destination(OURS)
    assert CONFIGURED.token_for(named) == "configured"


def test_a_token_alone_belongs_to_the_configured_server():
    assert CONFIGURED.named(None, "own") == Destination(OURS, "own")
    with pytest.raises(Rejected, match="baseUrl: expected the address"):
        TestItDestinations(None, None).named(None, "own")


def test_there_is_no_default_without_url_and_token():
    assert TestItDestinations(OURS, None).default() is None
    assert TestItDestinations(None, "token").default() is None


@pytest.mark.parametrize(
    "url",
    [
        "testit.example",
        "ftp://testit.example",
        "https://",
        "https://user:password@testit.example",
        "https://testit.example?x=1",
        "https://testit.example#x",
        "https://[::1",
        "https://testit.example:99999",
        "https://test it.example",
        "https://" + "x" * 3000,
    ],
)
def test_an_address_that_cannot_be_is_rejected_by_its_field(url):
    with pytest.raises(Rejected, match=r"^baseUrl: expected http:// or https://") as raised:
        CONFIGURED.named(url, "token")

    assert "password" not in str(raised.value)
