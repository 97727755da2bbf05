"""Everything that can be set, in one frozen object, built once where a process starts.

Read from the environment (`SYNCSVC_...`, and three `K6_...` of load tests), then `.env`, then
the TOML file that `SYNCSVC_CONFIG` names (default `syncsvc.toml`), then the file of TestSync's
own that `testsync_config` names; the first that has a value wins. With
`SYNCSVC_CONFIG=/dev/null` neither `.env` nor a TOML file is read.
"""

import os
import re
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import quote, urlsplit
from uuid import UUID
from zlib import crc32

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from syncsvc import testsync_config
from syncsvc.durations import parse_duration
from syncsvc.errors import Rejected

PREFIX = "SYNCSVC_"
DASHBOARD = ("K6_SYNC_INTERVAL_SECONDS", "K6_AUTO_SYNC_ENABLED", "K6_SYNC_API_KEY")
LOOPBACK = ("127.0.0.1", "::1")


Duration = Annotated[timedelta, BeforeValidator(parse_duration), Field(gt=timedelta(0))]
Port = Annotated[int, Field(ge=0, le=65535)]


def _test_it_id(found: str) -> str:
    try:
        well_formed = str(UUID(found)) == found.lower()
    except ValueError:
        well_formed = False
    if not well_formed:
        raise ValueError("expected an id of Test IT's, a UUID")
    return found


TestItId = Annotated[str, AfterValidator(_test_it_id)]


class MasterPolicy(StrEnum):
    """Which registering worker may hold a result back: see docs/reference/settings.md."""

    AUTO = "auto"
    FIRST = "first"


class LogFormat(StrEnum):
    AUTO = "auto"  # console on a terminal, else JSON
    CONSOLE = "console"
    JSON = "json"


def _default_data_dir() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "syncsvc"


def _not_blank(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("expected a token, found none")
    return secret


class TestIoCustomer(BaseModel):
    """One account of TestIO, as `testio_customers` lists them."""

    __test__ = False  # pytest

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    token: SecretStr
    url: str | None = None  # default: testio_url
    product_ids: tuple[int, ...] | None = None
    since: AwareDatetime | None = None


class ApiScope(StrEnum):
    """What an API token may do; writing and managing load tests imply reading."""

    READ = "read"
    WRITE = "write"
    MANAGE = "k6:manage"  # an organizer: the dashboard's sync job, and load tests
    ADMIN = "admin"  # everything


class ApiToken(BaseModel):
    """One token of the API, as `api_tokens` lists them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    token: Annotated[SecretStr, AfterValidator(_not_blank)]
    scopes: tuple[ApiScope, ...] = Field(min_length=1)


def _each_once(tokens: tuple[ApiToken, ...]) -> tuple[ApiToken, ...]:
    names = [each.name for each in tokens]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"expected each name once, found {twice!r} twice")
    secrets = [each.token for each in tokens]
    same = [each.name for each in tokens if secrets.count(each.token) > 1]
    if same:
        raise ValueError(
            f"expected a token of its own for each, found one for {' and '.join(same)}"
        )
    return tokens


class _TestSyncConfig(InitSettingsSource):
    """TestSync's configuration.json, when the sources before it name one."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls, init_kwargs={})

    def __call__(self) -> dict[str, Any]:
        path = self.current_state.get("testsync_config")
        return testsync_config.overrides(Path(path)) if path else {}


class _Dashboard(InitSettingsSource):
    """The variables of the dashboard's load tests, by the names that they have always had."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        found = {name.lower(): os.environ.get(name) for name in DASHBOARD}
        super().__init__(settings_cls, init_kwargs={k: v for k, v in found.items() if v})


class Settings(BaseSettings):
    """What an operator may choose; every field says what it is for and its default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="Folder of the SQLite database, the embedded server and the secret key.",
    )
    database_url: SecretStr | None = Field(
        default=None, description="postgresql://... or sqlite:///file; default: SQLite in data_dir."
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="redis://, rediss:// or unix://; default: the embedded server in data_dir.",
    )
    redis_server: Path | None = Field(
        default=None, description="Server binary to embed instead of the one that is shipped."
    )
    broker_url: SecretStr | None = Field(
        default=None, description="Celery's broker (redis or amqp); default: redis_url."
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Encrypts stored tokens; default: a key file made once in data_dir. "
        "Processes on several hosts need the same one.",
    )

    api_host: str = Field(default="", description="Address of the API; default: loopback.")
    api_port: Port = Field(default=8080, description="Port of the API, dashboard and Flower.")
    api_token: Annotated[SecretStr, AfterValidator(_not_blank)] | None = Field(
        default=None,
        description="Bearer token that the API demands, for everything; needed off loopback, or "
        "api_tokens.",
    )
    api_tokens: Annotated[tuple[ApiToken, ...], AfterValidator(_each_once)] = Field(
        default=(),
        description="JSON list of tokens that may do less, each with name, token and scopes: of "
        "read, write, k6:manage and admin.",
    )
    share_ports: bool = Field(
        default=False, description="Let several gateways of this host listen on the same ports."
    )
    sync_storage_host: str = Field(
        default="", description="Address of Sync Storage; default: loopback."
    )
    sync_storage_port: Port = Field(default=49152, description="Port of Sync Storage.")
    sync_storage_open: bool = Field(
        default=False,
        description="Allow Sync Storage off loopback, though its protocol has no credentials.",
    )

    testsync_config: Path | None = Field(
        default=None, description="TestSync's own configuration.json, for what is not set here."
    )
    testsync_host: str = Field(
        default="", description="Address of both TestSync ports; default: loopback."
    )
    testsync_http_port: Port = Field(default=9104, description="TestSync over HTTP: data.")
    testsync_ws_port: Port = Field(
        default=9105, description="TestSync over WebSocket, and the client library's port."
    )
    testsync_username: str = Field(default="", description="Who may use both TestSync ports.")
    testsync_password: SecretStr | None = Field(
        default=None, description="The password that goes with it."
    )
    testsync_strict: bool = Field(
        default=False,
        description="Be TestSync to the letter: errors are silent, an id that a socket "
        "registered takes no POST, connections are counted for ever.",
    )
    coordination_life: Duration = Field(
        default=timedelta(hours=12),
        ge=timedelta(minutes=10),  # signs of life, which keep things, come every few seconds
        description="Data, checkpoints and leases that nobody uses go after this; 10m or more.",
    )
    longest_wait: Duration = Field(
        default=timedelta(hours=12), description="No agent waits longer, whatever it asked for."
    )

    testit_url: str | None = Field(
        default=None, description="Test IT server for workers that do not name their own."
    )
    testit_token: SecretStr | None = Field(default=None, description="Private token for it.")
    testit_timeout: Duration = Field(
        default=timedelta(seconds=10), description="Longest wait for one answer of Test IT."
    )
    testit_ca_file: Path | None = Field(
        default=None, description="PEM file of the authorities that sign Test IT's certificate."
    )
    testit_verify_tls: bool = Field(
        default=True, description="false: take any certificate. Prefer testit_ca_file."
    )
    testit_proxy: SecretStr | None = Field(
        default=None,
        description="Proxy on the way to Test IT; default: the environment's HTTPS_PROXY and the "
        "like. This host is never reached through one.",
    )
    testit_at_once: int = Field(
        default=4,
        ge=1,
        le=64,
        description="Requests at once to one Test IT server, over all task workers.",
    )
    testit_project_id: TestItId | None = Field(
        default=None, description="Project of runs that are created and results that are pushed."
    )
    testit_configuration_id: TestItId | None = Field(
        default=None, description="Configuration of pushed results that name none."
    )

    push_idle_limit: Duration = Field(
        default=timedelta(minutes=30),
        description="A run that results are pushed to, and nobody completes, ends after this "
        "silence.",
    )
    attachment_limit_mb: int = Field(
        default=50,
        ge=1,
        le=50,
        description="Largest file that a result may bring; Test IT's is 50.",
    )
    attachments_quota_mb: int = Field(
        default=2048, ge=1, description="Files that wait for delivery take no more room than this."
    )

    testio_url: str = Field(
        default="https://api.test.io/customer/v2", description="TestIO's Customer API."
    )
    testio_token: SecretStr | None = Field(
        default=None, description="Token of TestIO's Customer API; without one nothing is synced."
    )
    testio_product_ids: tuple[int, ...] | None = Field(
        default=None, description="JSON list of the only products to sync; default: all."
    )
    testio_since: AwareDatetime | None = Field(
        default=None, description="Tests that ended before this moment are left out."
    )
    testio_customers: tuple[TestIoCustomer, ...] = Field(
        default=(),
        description="JSON list of accounts, each with name and token, and url, product_ids and "
        "since if they differ; default: one named `default`, of the settings above.",
    )
    testio_at_once: int = Field(
        default=10, ge=1, le=50, description="Requests at once with one token, over all processes."
    )
    testio_per_second: float = Field(
        default=100, gt=0, description="Requests a second with one token, over all processes."
    )
    testio_timeout: Duration = Field(
        default=timedelta(seconds=30), description="Longest wait for one answer of TestIO."
    )
    testio_page_size: int = Field(
        default=25, ge=1, le=100, description="Tests on a page; TestIO's own default is 25."
    )
    testio_ca_file: Path | None = Field(
        default=None, description="PEM file of the authorities that sign TestIO's certificate."
    )
    testio_verify_tls: bool = Field(
        default=True, description="false: take any certificate. Prefer testio_ca_file."
    )
    testio_proxy: SecretStr | None = Field(
        default=None,
        description="Proxy on the way to TestIO; default: the environment's HTTPS_PROXY and the "
        "like.",
    )

    sync_every: Duration = Field(
        default=timedelta(minutes=15),
        ge=timedelta(seconds=10),
        description="How often beat starts a sync of each customer; they are spread over it.",
    )
    sync_by_itself: bool = Field(
        default=True, description="false: syncs run only when somebody asks for one."
    )
    sync_refresh_after: Duration = Field(
        default=timedelta(hours=1),
        description="Tests that may still change are read again when they were read so long ago.",
    )
    sync_sweep_every: Duration = Field(
        default=timedelta(days=7),
        description="How often every page is read again, to find what was deleted or slipped in.",
    )
    sync_lock_file: Path | None = Field(
        default=None,
        description="Keeps syncs of this host apart where there is no Redis; default: in data_dir.",
    )

    k6_kubeconfig: Path | None = Field(
        default=None,
        description="kubectl's configuration, for load tests; default: in a pod its service "
        "account, else KUBECONFIG or ~/.kube/config.",
    )
    k6_contexts: tuple[str, ...] = Field(
        default=(),
        description="JSON list of its contexts, one for each cluster; default: the current one.",
    )
    k6_namespaces: tuple[str, ...] = Field(
        default=(),
        description="JSON list of namespaces where load tests run, the first one where none is "
        "named; default: the context's.",
    )
    k6_discover: str | None = Field(
        default=None,
        description="Label selector, such as app=k6: TestRuns of those namespaces that it takes "
        "are watched without being asked for; * takes all, default: none.",
    )
    k6_sync_interval_seconds: Annotated[int, Field(ge=5, le=300)] | None = Field(
        default=None,
        description="How often load tests are looked at, until the sync job is told otherwise; "
        "default: 20. K6_SYNC_INTERVAL_SECONDS is read too.",
    )
    k6_auto_sync_enabled: bool = Field(
        default=True,
        description="false: they are looked at only when the sync job is started. "
        "K6_AUTO_SYNC_ENABLED is read too.",
    )
    k6_sync_api_key: SecretStr | None = Field(
        default=None,
        description="Bearer key for the one request that runs a cycle at once; without one it "
        "wants an organizer's. K6_SYNC_API_KEY is read too.",
    )
    k6_at_once: int = Field(
        default=48, ge=1, le=256, description="Logs of one cluster that are read at once."
    )
    k6_timeout: Duration = Field(
        default=timedelta(seconds=10), description="Longest wait for one answer of Kubernetes."
    )
    k6_beside: tuple[str, ...] = Field(
        default=("k6-init-*",),
        description="JSON list of patterns: init containers and sidecars whose logs are kept too.",
    )
    k6_log_head_mb: int = Field(
        default=4, ge=1, le=1024, description="So much of the beginning of a log is kept ..."
    )
    k6_log_tail_mb: int = Field(
        default=16, ge=1, le=1024, description="... and of its end, when it is larger than both."
    )

    master_policy: MasterPolicy = Field(
        default=MasterPolicy.AUTO, description="auto or first: who may hold a result back."
    )
    quiet_period: Duration = Field(
        default=timedelta(seconds=10),
        description="How long a run must be silent, all workers done, before its result is final.",
    )
    beat_silence: Duration = Field(
        default=timedelta(minutes=2),
        description="A worker that sends keep_alive counts as gone after this silence.",
    )
    idle_limit: Duration = Field(
        default=timedelta(minutes=30),
        description="Any other worker counts as gone after this silence.",
    )
    unheard_limit: Duration = Field(
        default=timedelta(minutes=5),
        description="A worker that registered and never spoke again counts as gone after this.",
    )
    give_up_after: Duration = Field(
        default=timedelta(hours=24), description="How long delivery is tried before it is dead."
    )
    missing_limit: Duration = Field(
        default=timedelta(minutes=2),
        description="How long a held result may be missing in Test IT before it is dead.",
    )

    verify_after: Duration = Field(
        default=timedelta(seconds=8),
        description="A final status is looked at again after this: some adapters write an old one "
        "back.",
    )
    complete_runs: bool = Field(
        default=True,
        description="Complete a run that Test IT left open although nothing in it is in progress.",
    )
    watch_processes: bool = Field(
        default=True,
        description="A worker on this host whose id names its process (JS, Go, Swift, Flutter) "
        "counts as gone when that process has ended.",
    )

    log_level: str = Field(
        default="info",
        pattern="^(?i:debug|info|warning|error)$",
        description="debug, info, warning or error.",
    )
    log_format: LogFormat = Field(
        default=LogFormat.AUTO, description="console, json, or auto: console on a terminal."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is theirs
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = os.environ.get(PREFIX + "CONFIG", "syncsvc.toml")
        environment = (init_settings, env_settings, _Dashboard(settings_cls))
        last = _TestSyncConfig(settings_cls)
        if toml == os.devnull:  # the environment has them all: no file of ours may add to them
            return *environment, last
        file = TomlConfigSettingsSource(settings_cls, toml_file=Path(toml))
        return *environment, dotenv_settings, file, last

    @model_validator(mode="after")
    def _only_guarded_ports_leave_loopback(self) -> Self:
        if not is_loopback(self.api_host) and not self.api_guarded:
            raise ValueError(
                f"api_host is {self.api_host!r}, which other machines reach: set "
                f"{PREFIX}API_TOKEN or {PREFIX}API_TOKENS, or leave {PREFIX}API_HOST empty to "
                "listen on loopback"
            )
        if not is_loopback(self.sync_storage_host) and not self.sync_storage_open:
            raise ValueError(
                f"sync_storage_host is {self.sync_storage_host!r}, but the protocol has no "
                f"credentials: set {PREFIX}SYNC_STORAGE_OPEN=true if the network is closed, "
                f"or leave {PREFIX}SYNC_STORAGE_HOST empty to listen on loopback"
            )
        if not is_loopback(self.testsync_host) and not self.testsync_guarded:
            raise ValueError(
                f"testsync_host is {self.testsync_host!r}, which other machines reach: set "
                f"{PREFIX}TESTSYNC_USERNAME and {PREFIX}TESTSYNC_PASSWORD, or leave "
                f"{PREFIX}TESTSYNC_HOST empty to listen on loopback"
            )
        return self

    @model_validator(mode="after")
    def _api_tokens_differ_from_the_one(self) -> Self:
        same = next((each.name for each in self.api_tokens if each.token == self.api_token), None)
        if same is not None:
            raise ValueError(
                f"{PREFIX}API_TOKENS: expected {same!r} to have another token than "
                f"{PREFIX}API_TOKEN, found the same"
            )
        return self

    @property
    def api_guarded(self) -> bool:
        return self.api_token is not None or bool(self.api_tokens)

    @property
    def a_writing_token(self) -> SecretStr | None:
        """One that may start what it reads of, for what we do ourselves over the API."""
        return next(iter(self.writing_tokens), None)

    @property
    def writing_tokens(self) -> tuple[SecretStr, ...]:
        """Give those that a run's workers may show."""
        own = () if self.api_token is None else (self.api_token,)
        may = {ApiScope.WRITE, ApiScope.ADMIN}
        return own + tuple(each.token for each in self.api_tokens if may & set(each.scopes))

    @property
    def testsync_guarded(self) -> bool:
        return bool(self.testsync_username or self.testsync_password)

    @property
    def run_dir(self) -> Path:
        """Sockets of the embedded server and Flower; 108 bytes is the longest socket path."""
        preferred = self.data_dir.absolute() / "run"
        if len(str(preferred)) <= 80:
            return preferred
        digest = f"{crc32(str(preferred).encode()):08x}"
        return Path(os.environ.get("TMPDIR", "/tmp")) / f"syncsvc-{os.getuid()}-{digest}"  # noqa: S108 - made 0700 and checked by its owner

    @property
    def valkey_socket(self) -> Path:
        return self.run_dir / "valkey.sock"

    @property
    def flower_socket(self) -> Path:
        return self.run_dir / "flower.sock"

    @property
    def embeds_redis(self) -> bool:
        return self.redis_url is None

    @property
    def database(self) -> str:
        """The SQLAlchemy URL."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir.absolute() / 'syncsvc.db'}"
        return self.database_url.get_secret_value()

    @property
    def redis(self) -> str:
        if self.redis_url is None:
            return f"unix://{quote(str(self.valkey_socket))}?db=0"
        return self.redis_url.get_secret_value()

    @property
    def broker(self) -> str:
        """Kombu's spelling of the broker: it says `redis+socket` where redis-py says `unix`."""
        if self.broker_url is not None:
            return self.broker_url.get_secret_value()
        return kombu_url(self.redis)


def is_loopback(host: str) -> bool:
    return host in {"", "localhost", *LOOPBACK}


def kombu_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    db = re.search(r"db=(\d+)", parts.query)
    return f"redis+socket://{parts.path}?virtual_host={db[1] if db else 0}"


def load(**overrides: object) -> Settings:
    """Build the settings.

    Raises Rejected with one line per wrong variable: its name, what was found, what is allowed.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them itself
    except ValidationError as error:
        raise Rejected("\n".join(_explain(error))) from None
    except SettingsError as error:  # its cause shows what was found, which may be a secret
        raise Rejected(f"{_named(error)}: expected JSON, found something else") from None


def _named(error: SettingsError) -> str:
    """Name the variable that pydantic could not read at all."""
    found = re.search(r'field "(\w+)"', str(error))
    return PREFIX + found[1].upper() if found else "the settings"


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors():
        field = "_".join(str(part) for part in problem["loc"]).upper()
        message = problem["msg"].removeprefix("Value error, ")
        secret = any(word in field for word in ("TOKEN", "URL", "KEY", "PASSWORD", "CUSTOMERS"))
        found = "" if secret or not field else f", found {_shown(problem['input'])}"
        lines.append(f"{PREFIX}{field}: {message}{found}" if field else message)
    return lines


def _shown(value: object) -> str:
    return f"{value.total_seconds():g}s" if isinstance(value, timedelta) else repr(value)
