"""TestSync's own configuration.json, read as our settings.

Keys are found as Go finds them: upper and lower case are the same, the last of several wins,
null is as good as absent, and what nobody knows is passed over.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncsvc.errors import Rejected

EVERYWHERE = "0.0.0.0"  # noqa: S104 - where TestSync listens; without credentials we do not
LEVELS: Mapping[str, str] = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "fatal": "error",
    "panic": "error",
}
_PORTS = {"http_port": "testsync_http_port", "ws_port": "testsync_ws_port"}


def overrides(path: Path) -> dict[str, object]:
    """Give the settings that the file has a value for.

    Raises Rejected that names the file, the key, what was found and what is expected.
    """
    file = _File.read(path)
    ports = {ours: file.port(key) for key, ours in _PORTS.items()}
    username, password = file.text("sync_client", "username"), file.text("sync_client", "password")
    found = {
        **ports,
        "testsync_username": username or None,
        "testsync_password": password or None,
        "testsync_host": EVERYWHERE if username or password else None,
        "log_level": file.level(),
    }
    return {name: value for name, value in found.items() if value is not None}


def remarks(path: Path) -> list[str]:
    """Say, a sentence each, what the file asks for that we do otherwise.

    Raises Rejected as `overrides` does.
    """
    file = _File.read(path)
    said = {
        "storage: test data is always durable and kept in syncsvc's own database; "
        "type and sqlite_path change nothing": bool(file.section("storage")),
        "logging.dir: log lines go to stderr, not into a file there": bool(
            file.text("logging", "dir")
        ),
        "sync_client: no username and no password, so TestSync's ports are on loopback only": not (
            file.text("sync_client", "username") or file.text("sync_client", "password")
        ),
    }
    ports = [sentence for key in _PORTS for sentence in _about_port(key, file.port(key))]
    return [sentence for sentence, holds in said.items() if holds] + ports


def _about_port(key: str, port: int | None) -> list[str]:
    if port is None:
        return [f"{key}: absent, which is no random port here but the usual one"]
    return [f"{key}: 0 is any free port, as in TestSync"] if port == 0 else []


@dataclass(frozen=True)
class _File:
    path: Path
    content: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "_File":
        try:
            content = json.loads(
                path.read_text("utf-8", "replace"),
                object_pairs_hook=lambda pairs: {key.lower(): value for key, value in pairs},
            )
        except OSError as error:
            raise Rejected(f"{path}: expected a file to read, found: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise Rejected(f"{path}: expected JSON, found something else: {error}") from error
        file = cls(path, {"": content})
        return cls(path, file.section(""))

    def section(self, key: str) -> Mapping[str, Any]:
        found = self.content.get(key)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise self._wrong(key, "an object", found)
        return found

    def text(self, section: str, key: str) -> str | None:
        found = self.section(section).get(key)
        if found is not None and not isinstance(found, str):
            raise self._wrong(f"{section}.{key}", "a string", found)
        return found

    def port(self, key: str) -> int | None:
        found = self.content.get(key)
        if found is None:
            return None
        if type(found) is not int or not 0 <= found <= 65535:
            raise self._wrong(key, "a port from 0 to 65535", found)
        return found

    def level(self) -> str | None:
        found = self.text("logging", "level")
        if found is None:
            return None
        if found.lower() not in LEVELS:
            raise self._wrong("logging.level", f"one of {', '.join(LEVELS)}", found)
        return LEVELS[found.lower()]

    def _wrong(self, key: str, expected: str, found: object) -> Rejected:
        shown = "another type" if "password" in key else json.dumps(found)[:80]
        return Rejected(f"{self.path}: {key or 'the whole'}: expected {expected}, found {shown}")
