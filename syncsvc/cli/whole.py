"""Runs the whole tree, and a story through it when that is asked for."""

import asyncio
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
import typer
from pydantic import SecretStr

from syncsvc.cli.pushing.options import DEFAULT_API
from syncsvc.embedded import sandbox_kubernetes, story
from syncsvc.embedded.ports import free_port
from syncsvc.embedded.tree import ONE_OF_EACH, Crew, SandboxOptions, gateway_ports, with_ports
from syncsvc.embedded.up import up
from syncsvc.errors import Unavailable
from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, TESTIO_TOKEN, TOKEN
from syncsvc.settings import LOOPBACK, Settings, load

A_LOAD_TEST = '{"name": "mine", "scenario": {"exits": [0, 99]}}'


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
    """Send results to a sandbox, read its catalogue, and watch its load tests.

    Its project and configuration count unless others are set, and all its load tests unless a
    selector is.
    """
    kubernetes = sandbox_kubernetes.settings_of(settings.data_dir)
    return settings.model_copy(
        update={
            "testit_url": sandbox.use.url,
            "testit_token": SecretStr(TOKEN),
            "testio_url": f"{sandbox.use.url}/customer/v2",
            "testio_token": SecretStr(TESTIO_TOKEN),
            "testio_customers": (),
            "testit_project_id": settings.testit_project_id or str(PROJECT_ID),
            "testit_configuration_id": settings.testit_configuration_id or str(CONFIGURATION_ID),
            **kubernetes,
            "k6_discover": settings.k6_discover or kubernetes["k6_discover"],
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
        api_tokens=(),
        sync_storage_host="",
        sync_storage_port=0,
        testsync_config=None,
        testsync_host="",
        testsync_http_port=0,
        testsync_ws_port=0,
        quiet_period=timedelta(seconds=3),
        k6_kubeconfig=None,
        k6_contexts=(),
        k6_namespaces=(),
        k6_discover=None,
        k6_sync_interval_seconds=None,
        k6_auto_sync_enabled=True,
        k6_sync_api_key=None,
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
            f"held result {outcome.held_test} is {outcome.held_status}, "
            f"catalogue {outcome.catalogue.status} with {outcome.catalogue.tests} tests, "
            f"load test judged {outcome.load_test.status} ({outcome.load_test.detail})"
        )
        return outcome.ok

    def _stage(self, sandbox_url: str) -> story.Stage:
        ports = gateway_ports(self.settings)
        sockets = ports["testsync_ws"].url.replace("http", "ws", 1)
        password, token = self.settings.testsync_password, self.settings.a_writing_token
        key = self.settings.k6_sync_api_key
        return story.Stage(
            ports["sync_storage"].url,
            sandbox_url,
            sockets,
            self.settings.testsync_username,
            password.get_secret_value() if password else "",
            ports["api"].url,
            token.get_secret_value() if token else "",
            key.get_secret_value() if key else "",
        )

    def _say(self, line: str) -> None:
        if not self.wish.as_json:
            typer.echo(line)


def how_to_play(settings: Settings, sandbox_url: str) -> str:
    """Say how to send one's own results through a stack with a sandbox, and what to look at."""
    api = gateway_ports(settings)["api"].url
    elsewhere = "" if api == DEFAULT_API else f" --api {api}"
    kubeconfig = settings.data_dir / sandbox_kubernetes.FILE
    return "\n".join(
        [
            "",
            "In another terminal, so that commands find it:",
            f"  export SYNCSVC_DATA_DIR={settings.data_dir} SYNCSVC_K6_KUBECONFIG={kubeconfig}",
            "To push a report of yours into it, JUnit or CTRF:",
            f"  syncsvc results push junit.xml --wait{elsewhere}",
            "To see the catalogue that was synced, and sync it again:",
            f"  export SYNCSVC_TESTIO_URL={settings.testio_url}",
            f"  export SYNCSVC_TESTIO_TOKEN={TESTIO_TOKEN}",
            "  syncsvc sync status; syncsvc sync run",
            "To run a load test in its Kubernetes, where a runner of two crosses a threshold:",
            f"  curl -d '{A_LOAD_TEST}' {sandbox_url}{sandbox_kubernetes.TEST_RUNS}",
            "  syncsvc k6 watch mine mine --wait; syncsvc k6 logs mine; syncsvc k6 summary mine",
            "To send your own pytest run through it (pip install testit-adapter-pytest):",
            f"  export TMS_URL={sandbox_url} TMS_PRIVATE_TOKEN={TOKEN} TMS_ADAPTER_MODE=2",
            f"  export TMS_PROJECT_ID={PROJECT_ID} TMS_CONFIGURATION_ID={CONFIGURATION_ID}",
            f"  export TMS_SYNC_STORAGE_PORT={settings.sync_storage_port}",
            "  pytest --testit",
            "Ctrl-C stops everything.",
        ]
    )
