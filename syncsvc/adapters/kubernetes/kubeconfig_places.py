"""A place in a kubeconfig: what stands there is read, or refused with file, context and field."""

import base64
import binascii
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from syncsvc.adapters.calling import checked_url
from syncsvc.errors import Rejected

Shape = TypeVar("Shape")

_AT = re.compile(r" - at `\$\.?(.*)`$")
_TYPES = re.compile(r"Expected `([^`]*)`(?:.*, got `([^`]*)`)?")
_MISSING = re.compile(r"Object missing required field `(.*)`")


@dataclass(frozen=True, slots=True)
class Place:
    """An object in a file, such as `users['admin'].user`, read for a context."""

    file: Path
    context: str
    where: str

    def wrong(self, name: str, expected: str, found: str) -> Rejected:
        spot = ".".join(part for part in (self.where, name) if part)
        return Rejected(
            f"{self.file}, context {self.context!r}: {spot}: expected {expected}, found {found}"
        )

    def inside(self, name: str) -> "Place":
        return replace(self, where=f"{self.where}.{name}")

    def read(self, raw: object, shape: type[Shape]) -> Shape:
        """Give what stands here; its values are never shown."""
        try:
            return msgspec.convert(raw, shape)
        except msgspec.ValidationError as error:
            raise self._misshapen(str(error)) from None

    def url(self, name: str, text: str) -> str:
        """Give an http or https address, without its last slash."""
        at = f"{self.file}, context {self.context!r}: {self.where}.{name}"
        return checked_url(at, text)

    def beside(self, path: str) -> Path:
        """Give a path that is meant from the file's folder."""
        return self.file.parent / Path(path).expanduser()

    def content(self, name: str, inline: str | None, path: str | None) -> bytes | None:
        """Give what is written inline in base64, else what the file holds, else None."""
        if inline:
            return self._decoded(f"{name}-data", inline)
        return self._content_of(name, self.beside(path)) if path else None

    def _decoded(self, name: str, inline: str) -> bytes:
        try:
            return base64.b64decode("".join(inline.split()), validate=True)
        except (binascii.Error, ValueError):
            raise self.wrong(name, "base64", "something else") from None

    def _content_of(self, name: str, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            found = f"{path}: {error.strerror}"
            raise self.wrong(name, "a file that can be read", found) from None

    def _misshapen(self, said: str) -> Rejected:
        at = _AT.search(said)
        name, said = at[1] if at else "", _AT.sub("", said)
        if missing := _MISSING.match(said):
            return self.wrong(".".join(filter(None, (name, missing[1]))), "a value", "none")
        types = _TYPES.match(said)
        expected, found = types.groups() if types else ("another value", None)
        return self.wrong(name, expected, found or "something else")
