"""TestSync's configuration file on the command line: what is wrong with it is one line."""

import os
import subprocess
import sys

import pytest


def syncsvc(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "syncsvc", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def wrong(tmp_path):
    file = tmp_path / "configuration.json"
    file.write_text('{"http_port": "many"}')
    return file


def test_up_refuses_a_wrong_file_before_it_starts_anything(wrong, tmp_path):
    answer = syncsvc("up", "--testsync-config", str(wrong), SYNCSVC_DATA_DIR=str(tmp_path / "data"))

    expected = f'{wrong}: http_port: expected a port from 0 to 65535, found "many"'
    assert (answer.returncode, answer.stderr.strip()) == (1, f"syncsvc: {expected}")
    assert not (tmp_path / "data").exists()


def test_so_does_a_gateway_that_is_told_of_it_by_the_environment(wrong):
    answer = syncsvc("gateway", SYNCSVC_TESTSYNC_CONFIG=str(wrong))

    assert answer.returncode == 1
    assert answer.stderr.startswith(f"syncsvc: {wrong}: http_port: expected")
