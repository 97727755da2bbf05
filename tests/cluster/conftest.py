"""A whole stack of real processes, one for each test that kills parts of it."""

from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, running_stack


@pytest.fixture
def stack(tmp_path) -> Iterator[Stack]:
    with running_stack(tmp_path) as started:
        yield started
