"""The published adapter and one stack for it; neither is ever imported here."""

from collections.abc import Iterator

import pytest

from tests.clients.adapter import Adapter, CannotInstall, installed
from tests.conftest import absent
from tests.support.stack import Stack, running_stack

collect_ignore = ["suite"]  # it belongs to the adapter's pytest


@pytest.fixture(scope="session")
def adapter() -> Adapter:
    try:
        return installed()
    except CannotInstall as error:
        absent(f"the package index ({error})")
        raise


@pytest.fixture(scope="session")
def stack(tmp_path_factory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started
