"""The key that seals tokens is made once, whoever starts first."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from syncsvc.errors import Rejected
from syncsvc.stores.sql.sealing import key_from


def test_processes_that_start_together_share_one_key(tmp_path):
    for attempt in range(50):
        file = tmp_path / str(attempt) / "secret.key"

        with ThreadPoolExecutor(8) as processes:
            keys = set(processes.map(key_from, [file] * 8))

        assert len(keys) == 1
        assert [each.name for each in file.parent.iterdir()] == ["secret.key"]


def test_only_its_owner_may_read_the_key(tmp_path):
    key_from(tmp_path / "secret.key")

    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_an_empty_key_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "secret.key").touch()

    with pytest.raises(Rejected, match="remove it to get a new key"):
        key_from(tmp_path / "secret.key")
