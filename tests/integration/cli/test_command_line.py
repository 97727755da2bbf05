"""The command line as a person and a script meet it: one line for an error, and no stack trace."""

import json
import os
import subprocess
import sys

import pytest

from syncsvc.stores.sql.migrate import newest


def syncsvc(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "syncsvc", *arguments],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_teaches():
    assert "syncsvc demo" in syncsvc("--help").stdout


def test_help_is_quick_because_it_loads_nothing_that_only_running_needs():
    heavy = {"sqlalchemy", "celery", "pydantic", "starlette", "httpx", "redis", "structlog"}
    program = "import sys, syncsvc.cli; print(*sys.modules)"

    loaded = subprocess.check_output([sys.executable, "-c", program], text=True, timeout=60)

    assert "syncsvc.cli" in loaded.split()
    assert heavy.isdisjoint(loaded.split())


@pytest.mark.parametrize(
    "command",
    [
        "up",
        "demo",
        "gateway",
        "worker",
        "beat",
        "flower",
        "migrate",
        "doctor",
        "sandbox",
        "launcher",
        "results",
        "run",
    ],
)
def test_every_command_has_help(command):
    answer = syncsvc(command, "--help")

    assert answer.returncode == 0
    assert answer.stdout.startswith(f"Usage: syncsvc {command}")


def test_a_wrong_setting_is_one_line_that_names_it():
    answer = syncsvc("doctor", SYNCSVC_API_PORT="many")

    assert answer.returncode == 1
    assert answer.stderr.startswith("syncsvc: SYNCSVC_API_PORT: ")
    assert "Traceback" not in answer.stderr


def test_a_database_that_is_away_is_one_line(tmp_path):
    url = f"postgresql://u:s3cret@localhost:1/{tmp_path.name}"

    answer = syncsvc("migrate", SYNCSVC_DATABASE_URL=url)

    assert answer.returncode == 1
    assert answer.stderr.startswith("syncsvc: the database did not serve: ")
    assert "s3cret" not in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_database_url_of_another_kind_is_one_line():
    answer = syncsvc("migrate", SYNCSVC_DATABASE_URL="mysql://u:s3cret@localhost/d")

    assert answer.stderr.startswith("syncsvc: SYNCSVC_DATABASE_URL: expected postgresql://")
    assert "s3cret" not in answer.stderr


def test_migrating_twice_changes_nothing(tmp_path):
    first, second = (syncsvc("migrate", SYNCSVC_DATA_DIR=str(tmp_path)) for _ in range(2))

    assert first.stdout == second.stdout == f"database is at revision {newest()}\n"


def test_doctor_says_of_each_failure_what_to_do(tmp_path):
    answer = syncsvc("doctor", "--json", SYNCSVC_DATA_DIR=str(tmp_path), SYNCSVC_API_PORT="1")

    findings = {finding["check"]: finding for finding in json.loads(answer.stdout)}
    assert answer.returncode == 1
    assert findings["database"]["remedy"].startswith("run 'syncsvc migrate'")
    assert {findings[c]["state"] for c in ("redis", "task workers", "beat", "api")} == {"failed"}
    assert all(finding["remedy"] for finding in findings.values() if finding["state"] != "ok")
