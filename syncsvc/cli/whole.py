"""Runs the whole tree, and a story through it when that is asked for."""

import asyncio
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
import typer
from pydantic import SecretStr

from syncsvc.cli.pushing.options import DEFAULT_API
from syncsvc.embedded import story
from syncsvc.embedded.ports import free_port
from syncsvc.embedded.tree import ONE_OF_EACH, Crew, SandboxOptions, gateway_ports, with_ports
from syncsvc.embedded.up import up
from syncsvc.errors import Unavailable
from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, TOKEN
from syncsvc.settings import LOOPBACK, Settings, load


@dataclass(frozen=True)
class Wish:
    """What somebody wants of the whole stack."""

    crew: Crew = ONE_OF_EACH
    story: bool = False
    stay: bool = True  # after the story
    as_json: bool = False


def run_whole(settings: Settings, sandbox_port: int | None, wish: Wish) -> int:
    """Run everything until it is stopped, or until the story ends; give the exit code.

    Raises Rejected when it cannot start.
    """
    settings = with_ports(settings)
    sandbox = None
    if sandbox_port is not None:
        sandbox = SandboxOptions(sandbox_port or free_port(LOOPBACK[0]))
        settings = with_sandbox(settings, sandbox)
    return asyncio.run(
        up(
            settings,
            sandbox=sandbox,
            crew=wish.crew,
            as_json=wish.as_json,
            after_ready=_After(settings, sandbox, wish),
        )
    )


def with_sandbox(settings: Settings, sandbox: SandboxOptions) -> Settings:
    """Send results to a sandbox, and to its project and configuration unless others are set."""
    return settings.model_copy(
        update={
            "testit_url": sandbox.use.url,
            "testit_token": SecretStr(TOKEN),
            "testit_project_id": settings.testit_project_id or str(PROJECT_ID),
            "testit_configuration_id": settings.testit_configuration_id or str(CONFIGURATION_ID),
        }
    )


def private(folder: Path) -> Settings:
    """Give settings that touch nothing of this machine but a folder and free ports."""
    return load(
        data_dir=folder,
        database_url=None,
        redis_url=None,
        broker_url=None,
        api_host="",
        api_port=0,
        api_token=None,
        sync_storage_host="",
        sync_storage_port=0,
        testsync_config=None,
        testsync_host="",
        testsync_http_port=0,
        testsync_ws_port=0,
        quiet_period=timedelta(seconds=3),
    )


@dataclass(frozen=True)
class _After:
    """What happens once everything is ready."""

    settings: Settings
    sandbox: SandboxOptions | None
    wish: Wish

    async def __call__(self) -> int | None:
        if self.sandbox is None:
            return None
        if self.wish.story and not await self._story(self.sandbox.use.url) and not self.wish.stay:
            return 1
        if not self.wish.stay:
            return 0
        self._say(how_to_play(self.settings, self.sandbox.use.url))
        return None

    async def _story(self, sandbox_url: str) -> bool:
        try:
            outcome = await story.play(self._stage(sandbox_url), self._say)
        except Unavailable as error:
            typer.echo(f"story failed: {error}", err=True)
            return False
        if self.wish.as_json:
            typer.echo(msgspec.json.encode({**asdict(outcome), "ok": outcome.ok}).decode())
        verdict = "story ended well" if outcome.ok else "story FAILED"
        self._say(
            f"{verdict} after {outcome.seconds} s: {outcome.met} workers met, "
            f"run {outcome.run_state}, "
            f"{outcome.results} results, {outcome.unfinished} unfinished, "
            f"held result {outcome.held_test} is {outcome.held_status}"
        )
        return outcome.ok

    def _stage(self, sandbox_url: str) -> story.Stage:
        ports = gateway_ports(self.settings)
        sockets = ports["testsync_ws"].url.replace("http", "ws", 1)
        password = self.settings.testsync_password
        return story.Stage(
            ports["sync_storage"].url,
            sandbox_url,
            sockets,
            self.settings.testsync_username,
            password.get_secret_value() if password else "",
        )

    def _say(self, line: str) -> None:
        if not self.wish.as_json:
            typer.echo(line)


def how_to_play(settings: Settings, sandbox_url: str) -> str:
    """Say how to send one's own results through a stack with a sandbox."""
    api = gateway_ports(settings)["api"].url
    elsewhere = "" if api == DEFAULT_API else f" --api {api}"
    return "\n".join(
        [
            "",
            "To push a report of yours into it, JUnit or CTRF:",
            f"  syncsvc results push junit.xml --wait{elsewhere}",
            "To send your own pytest run through it (pip install testit-adapter-pytest):",
            f"  export TMS_URL={sandbox_url} TMS_PRIVATE_TOKEN={TOKEN} TMS_ADAPTER_MODE=2",
            f"  export TMS_PROJECT_ID={PROJECT_ID} TMS_CONFIGURATION_ID={CONFIGURATION_ID}",
            f"  export TMS_SYNC_STORAGE_PORT={settings.sync_storage_port}",
            "  pytest --testit",
            "Ctrl-C stops everything.",
        ]
    )
