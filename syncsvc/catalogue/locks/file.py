"""The lock on one host without Redis: the system frees it when its process ends, however it ends.

What the file says is for those who wait and for people; what counts is the lock on it. So the
file is never removed, nor emptied by anybody but its holder. A file that names a process and is
not locked was left by one that has died: it is taken, with a warning.
"""

import fcntl
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from syncsvc.catalogue.locks.note import note_of, read_note
from syncsvc.errors import Rejected, Unavailable
from syncsvc.telemetry import get_logger

log = get_logger(__name__)

_CUSTOMER = re.compile(r"[A-Za-z0-9._-]{1,64}")
_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class _Held:
    run_id: str
    token: int
    file: int


@dataclass
class FileLock:
    """Each customer has a file beside `path`, with its name in it; no call waits for anything.

    Nothing is written through to the disk: after a crash of the host nobody needs it.
    """

    path: Path
    clock: Callable[[], datetime]
    _held: dict[str, _Held] = field(default_factory=dict, init=False)
    _tokens: Iterator[int] = field(default_factory=lambda: count(1), init=False)

    async def acquire(self, customer: str, run_id: str) -> int | None:
        held = self._held.get(customer)
        if held is not None:
            return held.token if held.run_id == run_id else None
        note = note_of(run_id, self.clock())
        with _understood(self._file(customer)) as path:
            file = _locked(path)
            if file is None:
                return None
            _take(file, path, note)
        self._held[customer] = _Held(run_id, next(self._tokens), file)
        return self._held[customer].token

    async def renew(self, customer: str, run_id: str, token: int) -> bool:
        held = self._ours(customer, run_id, token)
        return held is not None and _is_at(self._file(customer), held.file)

    async def release(self, customer: str, run_id: str, token: int) -> None:
        held = self._ours(customer, run_id, token)
        if held is None:
            return
        del self._held[customer]
        with _understood(self._file(customer)):
            try:
                os.ftruncate(held.file, 0)
            finally:
                os.close(held.file)

    async def holder(self, customer: str) -> str | None:
        with _understood(self._file(customer)) as path:
            try:
                file = os.open(path, _OPEN)
            except FileNotFoundError:
                return None
            try:
                note = read_note(file)
            finally:
                os.close(file)
        return str(note) if note is not None and note.is_of_the_living else None

    def _ours(self, customer: str, run_id: str, token: int) -> _Held | None:
        held = self._held.get(customer)
        return held if held and (held.run_id, held.token) == (run_id, token) else None

    def _file(self, customer: str) -> Path:
        if not _CUSTOMER.fullmatch(customer):
            raise Rejected(
                "customer: expected 1 to 64 of letters, digits, '.', '_' and '-', "
                f"found {customer[:80]!r}"
            )
        return self.path.with_name(f"{self.path.stem}-{customer}{self.path.suffix}")


def _locked(path: Path) -> int | None:
    """Open a file and lock it; None while another has it, or when it was replaced meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(path, _OPEN | os.O_CREAT, 0o600)
    try:
        _demand_plain(file, path)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(path, file):
            return file
    except BlockingIOError:
        pass
    except BaseException:
        os.close(file)
        raise
    os.close(file)
    return None


def _demand_plain(file: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise Rejected(f"sync_lock_file: expected a plain file, found something else: {path}")


def _take(file: int, path: Path, note: bytes) -> None:
    """Write who has it; tell of one that has left it behind. A failure frees it."""
    try:
        left = read_note(file)
        if left is not None:
            log.warning(
                "sync lock reclaimed: its process has ended without giving it back",
                file=str(path),
                pid=left.pid,
                started=left.started,
                left_by=left.run_id,
            )
        os.fchmod(file, 0o600)
        os.ftruncate(file, 0)
        os.pwrite(file, note, 0)
    except BaseException:
        os.close(file)
        raise


def _is_at(path: Path, file: int) -> bool:
    """Whether an open file is still the one at its path: else others would lock another."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except OSError:
        return False


@contextmanager
def _understood(path: Path) -> Iterator[Path]:
    try:
        yield path
    except OSError as error:
        if path.is_symlink():
            raise Rejected(f"sync_lock_file: expected a plain file, found a link: {path}") from None
        raise Unavailable(f"the lock file {path} cannot be used: {error.strerror}") from error
