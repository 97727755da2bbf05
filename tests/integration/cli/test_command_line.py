"""The command line as a person and a script meet it: one line for an error, and no stack trace."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from syncsvc.stores.sql.migrate import newest


def syncsvc(
    *arguments: str, patience: float = 100, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "syncsvc", *arguments],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience,
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


def of_test_io(tmp_path, **variables: str) -> dict[str, dict[str, str]]:
    """Give what the doctor finds of each customer of TestIO."""
    answer = syncsvc("doctor", "--json", SYNCSVC_DATA_DIR=str(tmp_path), **variables)
    assert "s3cret" not in answer.stdout + answer.stderr
    findings = {finding["check"]: finding for finding in json.loads(answer.stdout)}
    return {name: each for name, each in findings.items() if name.startswith("test io")}


def test_doctor_says_how_to_configure_a_catalogue_that_is_absent(tmp_path):
    found = of_test_io(tmp_path)

    assert found.keys() == {"test io"}
    assert found["test io"]["state"] == "absent"
    assert "SYNCSVC_TESTIO_TOKEN" in found["test io"]["remedy"]


def test_doctor_looks_at_the_catalogue_of_each_customer(tmp_path, catalogue):
    customers = [
        {"name": "acme", "token": "s3cret", "url": catalogue},
        {"name": "refused", "token": "s3cret-refused", "url": catalogue},
        {"name": "away", "token": "s3cret", "url": "http://127.0.0.1:1"},
    ]

    found = of_test_io(tmp_path, SYNCSVC_TESTIO_CUSTOMERS=json.dumps(customers))

    assert {name: each["state"] for name, each in found.items()} == {
        "test io acme": "ok",
        "test io refused": "absent",
        "test io away": "absent",
    }
    assert found["test io acme"]["found"] == "answers and takes the token, lists 2 products"
    assert "401" in found["test io refused"]["found"]
    assert "token of 'refused'" in found["test io refused"]["found"]
    assert "SYNCSVC_TESTIO_URL" in found["test io away"]["remedy"]


class Catalogue(BaseHTTPRequestHandler):
    """Lists two products to whoever has the right token."""

    def do_GET(self) -> None:
        allowed = self.headers["Authorization"] == "Token s3cret"
        body = {"products": [{"id": number, "name": "a shop"} for number in (1, 2)]}
        answer = json.dumps(body if allowed else {}).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def catalogue() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Catalogue) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()
