"""What an adapter asks for by flags, and the environment that `syncsvc up` gets of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from syncsvc.embedded import ports
from syncsvc.embedded.tree import gateway_ports
from syncsvc.errors import Rejected
from syncsvc.launcher.executable import TOKEN
from syncsvc.settings import PREFIX, Settings

_PATHS = ("DATA_DIR", "CONFIG", "REDIS_SERVER", "TESTSYNC_CONFIG")
_ABOUT_BYTECODE = frozenset({"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"})


@dataclass(frozen=True, slots=True)
class Asked:
    """The vendor's flags; each may be missing."""

    run: str = ""
    port: int | None = None
    base_url: str = ""
    token: str = field(default="", repr=False)
    unknown: tuple[str, ...] = ()  # flags that this release does not know


@dataclass(frozen=True, slots=True)
class Evaded:
    """Ports beside Sync Storage's that somebody else has: no reason to leave an adapter alone."""

    environ: dict[str, str]
    remarks: list[str]


def own_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the environment without what the tested project says to its own Python.

    Paths become absolute, for the daemon works in another folder.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name != TOKEN and (not name.startswith("PYTHON") or name in _ABOUT_BYTECODE)
    }
    paths = (PREFIX + name for name in _PATHS)
    return kept | {name: str(Path(kept[name]).absolute()) for name in paths if kept.get(name)}


def credentials(settings: Settings, asked: Asked) -> dict[str, str]:
    """Give the server and token that the settings leave open.

    A token that is set goes to the server that is set with it and to no other, and a token
    that was asked with only to the server that came with it.
    """
    if settings.testit_token is not None:
        return {}
    if settings.testit_url is not None and not _same(settings.testit_url, asked.base_url):
        return {}
    found = {"TESTIT_URL": asked.base_url, "TESTIT_TOKEN": asked.token}
    return {PREFIX + name: value for name, value in found.items() if value}


def evade(settings: Settings) -> Evaded:
    """Choose any free port wherever the one in the settings is taken."""
    environ, remarks = {}, []
    for name, use in gateway_ports(settings).items():
        if name == "sync_storage" or not use.port:
            continue
        try:
            ports.check([use])
        except Rejected as taken:
            environ[f"{PREFIX}{name.upper()}_PORT"] = "0"
            remarks.append(f"{taken}; any free one is used")
    return Evaded(environ, remarks)


def _same(one: str, other: str) -> bool:
    return one.rstrip("/").lower() == other.rstrip("/").lower()
