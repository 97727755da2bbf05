"""The documents say what is true."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_settings_page_is_made_from_the_settings():
    make = runpy.run_path(str(ROOT / "docs/reference/make_settings.py"))

    assert make["page"]() == (ROOT / "docs/reference/settings.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_readme_opens_with_the_two_commands():
    readme = (ROOT / "README.md").read_text()

    first_block = re.search(r"^```\n(.*?)```", readme, re.MULTILINE | re.DOTALL)
    assert first_block[1] == "make run\nmake test\n"


def test_both_locks_name_the_same_versions():
    lock = (ROOT / "uv.lock").read_text()
    locked = dict(re.findall(r'\[\[package\]\]\nname = "(.+?)"\nversion = "(.+?)"', lock))
    pins = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^([\w.-]+)==([^\s;]+)", pins, re.MULTILINE)

    assert len(pinned) > 50
    assert [(name, version) for name, version in pinned if locked[name] != version] == []


def test_every_command_of_compose_is_one_of_ours():
    compose = (ROOT / "compose.yaml").read_text()
    commands = re.findall(r"command: \[syncsvc, (\w+)\]", compose)

    assert commands == ["migrate", "gateway", "worker", "beat", "flower"]
