"""Leaves the moment at which the last test ended, so that what comes after can be timed."""

from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logfinish():
    Path("last-test-ended").touch()


@pytest.fixture
def basket():
    return []
