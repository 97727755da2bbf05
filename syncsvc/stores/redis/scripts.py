"""Runs Lua scripts, those of one moment in one round trip.

A script is known to the server by its digest; a server that has forgotten it (it restarted)
is told again. Every script of ours may be repeated without harm, so a lost answer is asked
for again by the connection's own retries.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import FullJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from syncsvc.errors import Unavailable
from syncsvc.grouping import Grouped
from syncsvc.stores.redis.keys import Key

PATIENCE = timedelta(seconds=8)  # with retries; JS adapters give up after 15 s


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script that ships in a package."""

    source: str
    digest: str

    @classmethod
    def load(cls, package: str, *names: str) -> "Script":
        """Read a script; of several files the earlier ones define functions for the last.

        A name may say another package than this one: `package:name`.
        """
        source = "\n".join(_source(package, name) for name in names)
        return cls(source, sha1(source.encode()).hexdigest())  # noqa: S324 - Redis names scripts so


def _source(package: str, name: str) -> str:
    elsewhere, _, file = name.rpartition(":")
    return files(elsewhere or package).joinpath("lua", f"{file}.lua").read_text()


@dataclass(frozen=True, slots=True)
class _Call:
    script: Script
    keys: tuple[str, ...]
    arguments: tuple[str | int, ...]


def connect(url: str) -> "Redis":
    """Give a client; it connects when it is first used, and again whenever it must."""
    client: Redis = Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=5,
        socket_connect_timeout=2,
        health_check_interval=30,
        retry=Retry(FullJitterBackoff(cap=0.5, base=0.05), 3),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )
    return client


class Scripts:
    """One client's way to run scripts."""

    def __init__(self, client: "Redis") -> None:
        self.client = client
        self._grouped: Grouped[_Call, Any] = Grouped(self._carry_out, patience=PATIENCE)

    async def run(self, script: Script, key: Key | Sequence[Key], *arguments: str | int) -> Any:
        """Run a script on a key, or several of one slot, and give what it gives.

        Raises Unavailable when the server cannot be reached.
        """
        keys = (key.name,) if isinstance(key, Key) else tuple(each.name for each in key)
        return await self._grouped(_Call(script, keys, arguments))

    async def ping(self) -> None:
        """Raises Unavailable when the server does not answer within 2 seconds."""
        await self._soon(self.client.ping())

    async def exists(self, key: Key) -> bool:
        """Raises Unavailable when the server does not answer within 2 seconds."""
        return bool(await self._soon(self.client.exists(key.name)))

    async def _soon(self, asking: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(2):
                return await asking
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable(f"Redis did not answer: {_said(error)}") from error

    async def close(self) -> None:
        await self.client.aclose()

    async def _carry_out(self, calls: Sequence[_Call]) -> Sequence[Any]:
        try:
            answers = await self._pipelined(calls)
            if any(isinstance(answer, NoScriptError) for answer in answers):
                answers = await self._told_again(calls, answers)
        except (RedisError, OSError) as error:
            raise Unavailable(f"Redis did not serve: {_said(error)}") from error
        return [_translated(answer) for answer in answers]

    async def _pipelined(self, calls: Sequence[_Call]) -> list[Any]:
        pipeline = self.client.pipeline(transaction=False)
        for call in calls:
            pipeline.execute_command(
                "EVALSHA", call.script.digest, len(call.keys), *call.keys, *call.arguments
            )
        return list(await pipeline.execute(raise_on_error=False))

    async def _told_again(self, calls: Sequence[_Call], answers: list[Any]) -> list[Any]:
        for source in {call.script.source for call in calls}:
            await self.client.script_load(source)
        missing = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        again = await self._pipelined([calls[i] for i in missing])
        for i, answer in zip(missing, again, strict=True):
            answers[i] = answer
        return answers


def _translated(answer: Any) -> Any:
    if isinstance(answer, ResponseError):
        return Unavailable(f"Redis refused: {answer}")  # LOADING, READONLY, OOM: they pass
    return answer


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
