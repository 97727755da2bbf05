"""Who may use TestSync's ports."""

import base64

import pytest

from syncsvc.adapters.testsync.credentials import Credentials

OURS = Credentials("user", "pa:ss")
NONE = Credentials("", "")


def basic(text, scheme="Basic"):
    return f"{scheme} {base64.b64encode(text.encode()).decode()}".encode()


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "bAsIc"])
def test_the_right_header_is_let_in_however_its_scheme_is_written(scheme):
    assert OURS.admits_header(basic("user:pa:ss", scheme)) is True


@pytest.mark.parametrize("said", ["user:pass", "User:pa:ss", ":", "user:", ":pa:ss", "user:pa:ss "])
def test_any_other_name_or_password_is_not(said):
    assert OURS.admits_header(basic(said)) is False
    assert OURS.admits(*said.split(":", 1)) is False


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"Basic",
        b"Basic ",
        b"Basic  dTpw",
        b"Basic dTp",
        b"Basic dT=w",
        b"Basic dTpw dTpw",
        b"Basic d\xfcpw",
        "Basic dü",
        "Basic \udcff",
        b"Bearer dXNlcjpwYTpzcw==",
        basic("no colon"),
    ],
)
@pytest.mark.parametrize("credentials", [OURS, NONE], ids=["configured", "not configured"])
def test_what_is_no_basic_header_is_neither_right_nor_wrong(credentials, value):
    assert credentials.admits_header(value) is None


def test_anybody_is_let_in_where_nothing_is_configured():
    assert NONE.admits("who", "ever")
    assert NONE.admits_header(basic("who:ever")) is True
    assert not NONE.configured


@pytest.mark.parametrize(
    ("one", "good", "bad"), [("user:", "user:", "user:x"), (":p", ":p", "x:p")]
)
def test_half_a_credential_is_one_whose_other_half_is_empty(one, good, bad):
    credentials = Credentials(*one.split(":"))

    assert credentials.configured
    assert credentials.admits_header(basic(good)) is True
    assert credentials.admits_header(basic(bad)) is False


def test_names_may_be_in_any_script():
    assert Credentials("жук", "ключ").admits_header(basic("жук:ключ")) is True
    assert Credentials("жук", "ключ").admits("жук", "\udcff") is False


def test_the_password_does_not_show():
    assert "pa:ss" not in repr(OURS)
