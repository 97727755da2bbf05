"""Published adapters and one stack for all of them; none is ever imported here."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.clients.adapter import Adapter, installed
from tests.clients.environments import CannotInstall, node_modules_with, python_with
from tests.clients.programs import NODE_PACKAGES, Framework
from tests.conftest import absent
from tests.support.stack import Stack, running_stack

collect_ignore = ["suite", "suites"]  # they belong to the adapters' own frameworks


Made = TypeVar("Made")


def present(make: Callable[[], Made]) -> Made:
    """Give an environment; one that cannot be made skips here and fails in CI."""
    try:
        return make()
    except CannotInstall as error:
        absent(f"the package index ({error})")
        raise


@pytest.fixture(scope="session")
def adapter() -> Adapter:
    return present(installed)


@pytest.fixture(scope="session")
def python_of() -> Callable[[Framework], Path]:
    return lambda framework: present(lambda: python_with(framework.name, framework.packages))


@pytest.fixture(scope="session")
def node_modules() -> Path:
    return present(lambda: node_modules_with("testit-js-5.0.6", NODE_PACKAGES))


@pytest.fixture(scope="package")
def stack(tmp_path_factory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started
