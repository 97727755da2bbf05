"""What `syncsvc sandbox` says of TestIO when it is ready."""

import json

import pytest

from syncsvc.sandbox.cli import announcement
from syncsvc.sandbox.identities import TESTIO_TOKEN
from syncsvc.sandbox.server import Address

ADDRESS = Address("127.0.0.1", 8090)
URL = "http://127.0.0.1:8090/customer/v2"


def test_the_json_line_tells_testio_s_address_and_token():
    told = json.loads(announcement(ADDRESS, "word", as_json=True))

    assert (told["testio_url"], told["testio_token"]) == (URL, TESTIO_TOKEN)


@pytest.mark.parametrize("said", [f"TestIO at {URL}, token {TESTIO_TOKEN}", "token word"])
def test_the_plain_line_tells_both_services(said):
    told = announcement(ADDRESS, "word", as_json=False)

    assert said in told
    assert "\n" not in told
