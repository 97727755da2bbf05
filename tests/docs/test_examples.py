"""The Python examples of the pages about keeping in step do what the pages say."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.elsewhere import Elsewhere

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("tutorial/keep-in-step.md", "howto/coordinate.md", "reference/client.md")
EXAMPLE = re.compile(r"(?ms)^( *)<!-- (agents|file): (\S+) -->\n *```python\n(.*?)^ *```$")
DEFAULT_SERVER = "ws://127.0.0.1:9105"


def examples(kind: str, page: str) -> Iterator[tuple[str, str]]:
    for _, found, said, code in EXAMPLE.findall((DOCS / page).read_text()):
        if found == kind:
            yield said, dedent(code)


SCRIPTS = [
    pytest.param(int(agents), code, id=f"{page}-{number}")
    for page in PAGES
    for number, (agents, code) in enumerate(examples("agents", page), 1)
]


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as elsewhere:
        yield elsewhere


def play(elsewhere: Elsewhere, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = folder / "example.py"
    script.write_text(code.replace(DEFAULT_SERVER, elsewhere.url))
    return subprocess.run(
        [sys.executable, "-W", "error", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("agents", "code"), SCRIPTS)
def test_an_example_runs_on_each_agent(elsewhere, tmp_path, agents, code):
    with ThreadPoolExecutor(agents) as threads:
        answers = list(threads.map(lambda _: play(elsewhere, code, tmp_path), range(agents)))

    assert [(each.returncode, each.stderr) for each in answers] == [(0, "")] * agents
    once = [word for word in ("seeding", "migrating") if f'"{word}"' in code]
    said = "".join(each.stdout for each in answers)
    assert [said.count(word) for word in once] == [1] * len(once)


@pytest.mark.parametrize("page", ["tutorial/keep-in-step.md", "howto/coordinate.md"])
def test_two_pytest_runs_meet_as_the_page_says(elsewhere, tmp_path, page):
    for name, code in examples("file", page):
        (tmp_path / name).write_text(code.replace(DEFAULT_SERVER, elsewhere.url))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]

    environment = {**os.environ, "PYTEST_DEBUG_TEMPROOT": str(tmp_path)}
    started = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [each.communicate(timeout=60)[0] for each in started]

    assert [each.returncode for each in started] == [0, 0], said


def test_every_python_example_is_played():
    for page in PAGES:
        shown = (DOCS / page).read_text().count("```python")

        assert shown == sum(len(list(examples(kind, page))) for kind in ("agents", "file"))
