"""Sends what reports hold: their files by their digest first, then results by the thousand."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from syncsvc.cli.pushing.gateway import Gateway
from syncsvc.cli.pushing.keys import Keys
from syncsvc.errors import Rejected
from syncsvc.results.pushed.model import MOST_RESULTS, AttachmentRef, Result
from syncsvc.results.reports import Found

LARGEST_REQUEST = 4 * 1024 * 1024  # bytes; it is in memory a few times while it is sent
PIECE = 256 * 1024  # bytes
LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Target:
    """Where results go; what is None the gateway knows."""

    run_id: str
    project_id: str | None = None
    configuration_id: str | None = None

    @property
    def path(self) -> str:
        return f"/api/v1/runs/{quote(self.run_id, safe='')}"


class _Request(msgspec.Struct, omit_defaults=True):
    results: list[msgspec.Raw]
    project_id: str | None = None
    configuration_id: str | None = None


@dataclass
class Sender:
    """Sends results to one run, and counts them; `told` hears after each request."""

    gateway: Gateway
    target: Target
    told: Callable[["Sender"], None]
    new: int = 0
    known: int = 0  # the run had them from an earlier push
    files: int = 0
    keys: set[int] | None = None  # of what was sent, shortened; None: nobody asks for them
    _uploaded: set[str] = field(default_factory=set)

    def send(self, found: Iterable[Found]) -> None:
        """Send all; raises what reading and the gateway raise, and what was sent stays counted."""
        keys = Keys(self.target.configuration_id)
        for request in requests(self._complete(each, keys) for each in found):
            self._post(request)
            self.told(self)

    def attach(self, files: Sequence[Path]) -> None:
        """Send files of the run itself; raises what the gateway raises."""
        refs = [self._upload(file) for file in files]
        for first in range(0, len(refs), MOST_RESULTS):
            body = msgspec.json.encode({"files": refs[first : first + MOST_RESULTS]})
            self.gateway.call("POST", f"{self.target.path}/attachments", _constant(body))

    @property
    def accepted(self) -> int:
        return self.new + self.known

    def _complete(self, found: Found, keys: Keys) -> Result:
        refs = tuple(self._upload(file) for file in found.files)
        key = found.result.key or keys.of(found.result)
        if self.keys is not None:
            self.keys.add(hash(key))
        return replace(
            found.result,
            key=key,
            attachments=(*found.result.attachments, *refs),
        )

    def _upload(self, file: Path) -> AttachmentRef:
        digest = _digest(file)
        path = f"{self.target.path}/attachments/{digest}"
        if digest not in self._uploaded:
            if not self.gateway.has(path):
                query = (
                    f"?project_id={quote(self.target.project_id)}" if self.target.project_id else ""
                )
                self.gateway.call("PUT", path + query, lambda: _pieces(file))
                self.files += 1
            self._uploaded.add(digest)
        return AttachmentRef(digest=digest, name=file.name[-LONGEST_NAME:])

    def _post(self, results: list[msgspec.Raw]) -> None:
        body = msgspec.json.encode(
            _Request(results, self.target.project_id, self.target.configuration_id)
        )
        answer = self.gateway.call("POST", f"{self.target.path}/results", lambda: body)
        self.new += answer["new"]
        self.known += answer["known"]


def requests(results: Iterable[Result]) -> Iterator[list[msgspec.Raw]]:
    """Group results, as JSON, into what one request takes."""
    group: list[msgspec.Raw] = []
    size = 0
    for result in results:
        text = msgspec.json.encode(result)
        if group and (len(group) == MOST_RESULTS or size + len(text) > LARGEST_REQUEST):
            yield group
            group, size = [], 0
        group.append(msgspec.Raw(text))
        size += len(text)
    if group:
        yield group


def _constant(body: bytes) -> Callable[[], bytes]:
    return lambda: body


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(file):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            while piece := opened.read(PIECE):
                yield piece
    except OSError as error:
        raise Rejected(f"{file}: expected a file that can be read: {error.strerror}") from error
