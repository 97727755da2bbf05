"""The reference says what the commands say about themselves."""

import runpy
from pathlib import Path

import pytest

from tests.support.operations import shapes_of_operations

REFERENCE = Path(__file__).parents[3] / "docs/reference"
OPERATIONS = shapes_of_operations()


def test_the_page_is_made_from_the_commands():
    make = runpy.run_path(str(REFERENCE / "make_coordination.py"))

    assert make["page"]() == (REFERENCE / "coordination.md").read_text()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_command_is_on_the_page_with_its_summary(name):
    page = (REFERENCE / "coordination.md").read_text()

    assert f"| `{name}` | {OPERATIONS[name].summary} |" in page


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_command_goes_by_its_own_name(name):
    assert OPERATIONS[name].name == name
