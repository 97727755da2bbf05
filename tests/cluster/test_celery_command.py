"""Celery's own command works on our application as any user of Celery expects."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]


def test_celery_pings_the_task_worker(stack):
    pinged = celery(stack, "inspect", "ping", "--json", "--timeout", "10")

    assert pinged.returncode == 0, pinged.stderr
    answers = json.loads(pinged.stdout)
    assert [answer for name, answer in answers.items() if name.startswith("worker")] == [
        {"ok": "pong"}
    ]


def test_celery_reports_that_only_json_is_taken(stack):
    report = celery(stack, "report")

    assert report.returncode == 0, report.stderr
    assert "accept_content: ['json']" in report.stdout
    assert "task_serializer: 'json'" in report.stdout
    assert "pickle" not in report.stdout


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_celery_explains_its_processes(stack, command):
    explained = celery(stack, command, "--help")

    assert explained.returncode == 0, explained.stderr
    assert "Usage" in explained.stdout


def celery(stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `celery -A workers.app` as somebody in the project's folder does."""
    return subprocess.run(
        [Path(sys.executable).with_name("celery"), "-A", "workers.app", *arguments],
        cwd=ROOT,
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
