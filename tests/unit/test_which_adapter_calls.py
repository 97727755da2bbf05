"""Which Test IT adapter a request comes from, by its User-Agent and its connection."""

import pytest
from starlette.requests import Request

from syncsvc.adapters.testit.callers import caller_of, is_local, kind_of
from syncsvc.runs.model import ANYBODY, Caller


def request(client=("127.0.0.1", 5001), **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "client": client})


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("OpenAPI-Generator/1.0.0/python", "python"),
        ("Python-urllib/3.11", "python"),
        ("OpenAPI-Generator/0.1.0/Javascript", "js"),
        ("OpenAPI-Generator/1.0.0/java", "java"),
        ("OpenAPI-Generator/1.0.0/csharp", "dotnet"),
        ("Go-http-client/1.1", "go"),
        ("OpenAPI-Generator/1.0.0/go", "go"),
        ("okhttp/4.12.0", "okhttp"),
        ("Dart/3.5 (dart:io)", "mobile"),
        ("xctest (unknown version) CFNetwork/1.0 Darwin/24", "mobile"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_an_adapter_is_known_by_what_it_calls_itself(agent, kind):
    assert kind_of(agent) == kind


def test_who_keeps_a_connection_is_known_by_it():
    assert caller_of(request(user_agent="okhttp/4.12.0")) == Caller("okhttp", "127.0.0.1:5001")


@pytest.mark.parametrize(
    "headers",
    [
        {"user_agent": "OpenAPI-Generator/0.1.0/Javascript", "connection": "close"},
        {"user_agent": "Python-urllib/3.11", "connection": "close"},
        {"user_agent": "Dart/3.5 (dart:io)"},
    ],
)
def test_a_connection_that_is_not_kept_says_nothing(headers):
    assert caller_of(request(**headers)).peer == ""


def test_an_unknown_client_is_anybody():
    assert caller_of(request(user_agent="curl/8.0")) == ANYBODY
    assert caller_of(request(client=None, user_agent="okhttp/4")) == Caller("okhttp")


@pytest.mark.parametrize(
    ("client", "expected"),
    [(("127.0.0.1", 1), True), (("::1", 1), True), (("10.0.0.1", 1), False), (("x", 1), False)],
)
def test_a_caller_over_loopback_is_on_this_host(client, expected):
    assert is_local(request(client=client)) is expected


def test_a_caller_without_an_address_is_not():
    assert not is_local(request(client=None))
