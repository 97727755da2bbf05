"""An address or credentials that cannot be are refused here, in words that say what to set."""

import pytest

from syncsvc.client import connect
from syncsvc.client.address import Address, Credentials, default_worker
from syncsvc.client.tempo import elapsed
from syncsvc.errors import Rejected

SERVER = "ws://127.0.0.1:9105"


@pytest.mark.parametrize(
    "server",
    ["", "127.0.0.1:9105", "http://127.0.0.1:9105", "ws://", "ws://h:99999", "ws://h/?a=b"],
)
def test_what_is_no_address_is_refused_with_an_example(server):
    with pytest.raises(Rejected, match=r"server: expected an address such as ws://127\.0\.0\.1"):
        connect(server, run="r1")


def test_credentials_in_an_address_are_refused_and_not_repeated():
    with pytest.raises(Rejected, match="give them as username and password") as raised:
        connect("ws://user:s3cret@host:9105", run="r1")

    assert "s3cret" not in str(raised.value)


def test_a_run_has_a_name():
    with pytest.raises(Rejected, match="run: expected a name"):
        connect(SERVER, run=" ")


def test_a_token_and_a_password_together_are_refused():
    with pytest.raises(Rejected, match="found both"):
        connect(SERVER, run="r1", username="u", password="p", token="t")


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        (Credentials(), None),
        (Credentials("user", "pässword"), "Basic dXNlcjpww6Rzc3dvcmQ="),
        (Credentials(token="t"), "Bearer t"),
    ],
)
def test_credentials_travel_in_a_header(credentials, header):
    assert credentials.headers.get("Authorization") == header


def test_credentials_are_not_shown():
    assert "s3cret" not in repr(Credentials("user", "s3cret")) + repr(Credentials(token="s3cret"))


def test_names_of_any_kind_fit_into_an_address():
    address = Address("wss://host/base/", "a/b ?", Credentials())

    assert address.uri("w&1") == "wss://host/base/runs/a%2Fb%20%3F?worker=w%261"
    assert not address.is_near


def test_who_does_not_attend_says_no_name_at_the_door():
    address = Address(SERVER, "r1", attend=False)

    assert address.uri("w1") == "ws://127.0.0.1:9105/runs/r1"
    assert address.is_near


def test_a_worker_without_a_name_gets_one_that_no_other_has():
    assert default_worker() != default_worker()


def test_the_clock_goes_on():
    assert elapsed() <= elapsed()
