"""Tokens that must be kept are kept sealed: a copy of the database alone opens none."""

import base64
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.fernet import Fernet, InvalidToken

from syncsvc.errors import Rejected


class Seal:
    """Seals and opens texts with one key."""

    def __init__(self, key: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(sha256(key.encode()).digest()))

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Raises Rejected when it was sealed with another key."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise Rejected(
                "the stored token was sealed with another key: give every process the same "
                "SYNCSVC_SECRET_KEY (or data folder), then let the workers register again"
            ) from None


def key_from(file: Path) -> str:
    """Read the key in a file that only its owner may read; make it when there is none.

    Of several processes that make it at the same time one succeeds, and all read that one's.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        _make(file)
    return _read(file)


def _make(file: Path) -> None:
    with NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}.") as new:
        new.write(Fernet.generate_key().decode())
        new.flush()
        os.fsync(new.fileno())
        with suppress(FileExistsError):  # somebody else was faster
            os.link(new.name, file)


def _read(file: Path) -> str:
    key = file.read_text().strip()
    if not key:
        raise Rejected(f"{file} is empty: remove it to get a new key, then register again")
    return key
