"""A token leaves the command line at once, and goes to no server but its own."""

import os
import subprocess
import sys

import pytest
from pydantic import SecretStr

from syncsvc.launcher.asked import Asked, credentials, own_environ
from syncsvc.launcher.executable import TOKEN, install
from syncsvc.launcher.hiding import stripped
from syncsvc.launcher.names import Platform
from syncsvc.settings import Settings

URL, TOKEN_SET = "SYNCSVC_TESTIT_URL", "SYNCSVC_TESTIT_TOKEN"
HERE = Asked(base_url="https://testit.here/", token="s3cret")
OTHERS = ["--testRunId", "r 1", "--port", "49152", "--baseURL", "https://x/?a=1&b='2'", ""]


@pytest.fixture
def script(tmp_path):
    """The executable, with a program in Python's place that tells what it was given."""
    installed = install(tmp_path, ["v1"], [Platform("linux", "amd64")])
    file = installed.folder / installed.written[0]
    told = tmp_path / "told"
    told.write_text(f'#!/bin/sh\nprintf "%s\\n" "${TOKEN}" "$@"\n')
    told.chmod(0o755)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text(
        "".join(f"python={told}\n" if line[:7] == "python=" else line for line in lines)
    )
    return file


@pytest.mark.parametrize(
    ("flag", "token"),
    [
        (["--privateToken", "a b'\"$x*"], "a b'\"$x*"),
        (["--privateToken=a=b"], "a=b"),
        (["--privateToken", ""], ""),
        ([], ""),
    ],
)
def test_the_script_hands_everything_on_but_the_token(script, flag, token):
    arguments = [*OTHERS[:2], *flag, *OTHERS[2:]]

    said = subprocess.check_output([script, *arguments], env={}, text=True, timeout=10)

    expected = [token, "-I", "-m", "syncsvc", "launcher", "run", *OTHERS]
    assert said.split("\n") == [*expected, ""]


def test_a_flag_without_its_value_is_no_token(script):
    said = subprocess.check_output([script, "--privateToken"], env={}, text=True, timeout=10)

    assert said.split("\n") == ["", "-I", "-m", "syncsvc", "launcher", "run", ""]


@pytest.mark.parametrize("flag", [["--privateToken", "s3cret"], ["--privateToken=s3cret"]])
def test_a_command_line_is_stripped_of_both_spellings(flag):
    command = ["-m", "syncsvc", "launcher", "run"]

    assert stripped([*command, *flag, *OTHERS]) == [*command, *OTHERS]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, {URL: "https://testit.here/", TOKEN_SET: "s3cret"}),
        ({"testit_url": "https://Testit.here"}, {URL: "https://testit.here/", TOKEN_SET: "s3cret"}),
        ({"testit_url": "https://another"}, {}),
        ({"testit_token": SecretStr("ours")}, {}),
        ({"testit_url": "https://testit.here", "testit_token": SecretStr("ours")}, {}),
    ],
)
def test_a_token_goes_to_its_own_server_only(settings, found):
    assert credentials(Settings(**settings), HERE) == found


def test_what_was_not_asked_for_is_not_set():
    assert credentials(Settings(), Asked()) == {}
    assert "s3cret" not in repr(HERE)


def test_the_daemon_inherits_no_word_to_another_python(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    environ = {"PYTHONPATH": "x", "PATH": "/bin", TOKEN: "s3cret", "SYNCSVC_CONFIG": "a.toml"}

    assert own_environ(environ) == {"PATH": "/bin", "SYNCSVC_CONFIG": str(tmp_path / "a.toml")}


def test_python_is_named_by_an_absolute_path_that_a_shell_understands(tmp_path, monkeypatch):
    odd = tmp_path / "it's my $python"
    odd.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(odd))
    installed = install(tmp_path, ["v1"], [Platform("linux", "amd64")])

    first = (installed.folder / installed.written[0]).read_text().split("if [")[0]
    said = subprocess.check_output(["sh", "-c", f'{first}printf %s "$python"'], env={}, text=True)

    assert said == os.fspath(odd)
