"""The executable is there under every file name that adapters look for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from syncsvc.errors import Rejected
from syncsvc.launcher.executable import install
from syncsvc.launcher.names import ALL, CACHES, VERSIONS, Platform, check_version

LINUX = Platform("linux", "amd64")
NAME = "syncstorage-v0.3.10-linux_amd64"


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "syncsvc", "launcher", "install", *arguments],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(
    ("adapter", "version"),
    [
        ("python", "v0.3.10"),
        ("python 5.1", "v0.3.8-rc-tms-5.7"),
        ("python 5.0 and go", "v0.3.7-tms-5.7"),
        ("python 4.1", "v0.2.9"),
        ("python 4.0", "v0.1.18"),
        ("java", "v0.3.9"),
        ("dotnet", "v0.3.5"),
        ("kotlin", "v0.1.27"),
        ("swift", "v0.3.2"),
        ("flutter", "v0.3.6-tms-5.7"),
    ],
)
def test_every_adapter_finds_its_version(tmp_path, adapter, version):
    install(tmp_path, VERSIONS, [LINUX])

    found = tmp_path / CACHES / f"syncstorage-{version}-linux_amd64"
    assert os.access(found, os.X_OK), adapter


def test_doing_it_twice_changes_nothing(tmp_path):
    first = install(tmp_path, VERSIONS, [LINUX])
    before = {file: file.stat() for file in first.folder.iterdir()}

    second = install(tmp_path, VERSIONS, [LINUX])

    assert (second.written, second.kept) == ([], first.written)
    assert {file: file.stat().st_ino for file in first.folder.iterdir()} == {
        file: found.st_ino for file, found in before.items()
    }


def test_an_older_one_of_ours_is_replaced(tmp_path):
    file = install(tmp_path, ["v0.3.10"], [LINUX]).folder / NAME
    file.write_text(file.read_text().replace("python=", "python=/gone"))

    again = install(tmp_path, ["v0.3.10"], [LINUX])

    assert again.written == [NAME]
    assert "/gone" not in file.read_text()


def test_a_file_of_somebody_else_stays_unless_forced(tmp_path):
    file = tmp_path / CACHES / NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\x7fELF")

    with pytest.raises(Rejected, match=rf"found .*{NAME}: .*--force"):
        install(tmp_path, VERSIONS, [LINUX])
    left = list(file.parent.iterdir())
    forced = install(tmp_path, ["v0.3.10"], [LINUX], force=True)

    assert left == [file]
    assert forced.written == [NAME]
    assert file.read_bytes().startswith(b"#!/bin/sh")


def test_all_platforms_are_all_that_run_scripts(tmp_path):
    done = install(tmp_path, ["v0.3.10"], ALL)

    assert done.written == [
        f"syncstorage-v0.3.10-{each}"
        for each in ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64")
    ]


def test_windows_is_said_to_be_left_out(tmp_path):
    answer = command(tmp_path, "--all-platforms", "--version", "v9", "--json")

    told = json.loads(answer.stdout)
    assert told["folder"] == str(tmp_path / CACHES)
    assert len(told["written"]) == 4
    assert "Windows" in told["left_out"][0]


def test_versions_can_be_chosen_one_by_one(tmp_path):
    answer = command(tmp_path, "--version", "v0.3.10", "--version", "v0.3.9")

    assert answer.stdout.startswith(f"{tmp_path / CACHES}: 2 written, 0 were there already\n")
    assert len(list((tmp_path / CACHES).iterdir())) == 2


@pytest.mark.parametrize("version", ["0.3.10", "latest", "v1/../../x", "v1\n", ""])
def test_what_cannot_be_a_version_is_refused(version):
    with pytest.raises(Rejected, match="--version: expected one such as v0"):
        check_version(version)


def test_an_environment_that_has_gone_is_one_line(tmp_path):
    file = install(tmp_path, ["v0.3.10"], [LINUX]).folder / NAME
    file.write_text(file.read_text().replace("python=", "python=/gone"))

    answer = subprocess.run([file], capture_output=True, text=True, timeout=10, check=False)

    assert answer.returncode == 127
    assert answer.stderr.startswith(f"{file}: expected a Python with syncsvc at /gone/")
    assert answer.stderr.count("\n") == 1
