"""Unit tests reach no network: sockets are off, but for the event loop's own."""

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket

# No example promises a time: it would be the machine's.
settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def no_network():
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
