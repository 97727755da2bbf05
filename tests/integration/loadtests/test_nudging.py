"""Whoever changes the sync job wakes a task worker up, where there can be one."""

from redis.asyncio import Redis

from syncsvc.settings import Settings
from syncsvc.wiring.nudging import nudge_watchers


async def test_a_task_worker_is_asked_where_there_is_a_broker(valkey_url, tmp_path):
    settings = Settings(data_dir=tmp_path, redis_url=valkey_url)
    async with Redis.from_url(valkey_url) as redis:
        await redis.delete("loadtests")  # other tests use this server too

        asked = await nudge_watchers(settings)

        waiting = await redis.llen("loadtests")
        await redis.delete("loadtests")
    assert (asked, waiting) == (True, 1)


async def test_without_a_broker_nobody_is_asked(tmp_path):
    assert await nudge_watchers(Settings(data_dir=tmp_path)) is False
