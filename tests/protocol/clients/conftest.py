"""The gateway of the neighbours, for clients that speak in bytes."""

import uuid

import pytest

from tests.protocol.gateway.conftest import api, gateway, settings

__all__ = ["api", "gateway", "settings"]


@pytest.fixture
def run_id() -> str:
    return str(uuid.uuid4())
