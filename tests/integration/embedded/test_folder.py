"""The data folder belongs to one user and one `up`."""

import asyncio
import os

import pytest

from syncsvc.embedded import folder
from syncsvc.errors import Rejected
from syncsvc.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path / "d")


def test_the_folders_are_made_for_their_owner_alone(settings):
    folder.prepare(settings)

    assert settings.run_dir.stat().st_mode & 0o777 == 0o700
    assert settings.data_dir.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_sockets_that_others_could_enter_is_closed(settings):
    settings.run_dir.mkdir(parents=True, mode=0o777)

    folder.prepare(settings)

    assert settings.run_dir.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_sockets_that_leads_elsewhere_is_refused(settings, tmp_path):
    settings.data_dir.mkdir()
    settings.run_dir.symlink_to(tmp_path)

    with pytest.raises(Rejected, match="must be a folder of user"):
        folder.prepare(settings)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_sockets_of_somebody_else_is_refused(settings):
    settings.run_dir.mkdir(parents=True)
    os.chown(settings.run_dir, 12345, -1)

    with pytest.raises(Rejected, match="belongs to user 12345"):
        folder.prepare(settings)


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(Rejected, match="choose another folder with --data-dir"):
        folder.prepare(Settings(data_dir=tmp_path / "file" / "d"))


def test_a_socket_path_that_no_kernel_takes_is_told(tmp_path, monkeypatch):
    deep = tmp_path / ("t" * 100)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))

    with pytest.raises(Rejected, match="set TMPDIR to a shorter folder"):
        folder.prepare(Settings(data_dir=tmp_path / ("d" * 100)))


async def test_the_lock_ends_with_its_holder(tmp_path):
    async with folder.locked(tmp_path):
        pass

    async with folder.locked(tmp_path):
        assert (tmp_path / "up.lock").read_text() == f"{os.getpid()}\n"


async def test_a_lock_whose_holder_lives_is_refused(tmp_path):
    async with folder.locked(tmp_path):
        with pytest.raises(Rejected, match=rf"in use by `syncsvc up` \(pid {os.getpid()}\)"):
            async with folder.locked(tmp_path):
                pass


async def test_what_is_left_of_a_killed_up_is_waited_for(tmp_path):
    async with folder.locked(tmp_path) as lock:
        leftover = await asyncio.create_subprocess_exec(
            "cat", stdin=asyncio.subprocess.PIPE, pass_fds=[lock]
        )
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    (tmp_path / "up.lock").write_text(f"{ended.pid}\n")
    following = folder.locked(tmp_path)

    entering = asyncio.create_task(following.__aenter__())
    done, _ = await asyncio.wait({entering}, timeout=0.1)
    leftover.stdin.close()

    assert not done
    await entering
    await following.__aexit__(None, None, None)
    await leftover.wait()
