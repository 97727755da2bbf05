"""Reads JSON objects as Go's encoding/json does, for what a strict reader refuses.

Keys are matched without regard to case, the last of several wins, null leaves a value as it
was, and bytes that are no UTF-8 become U+FFFD. Numbers and texts keep their types.
"""

import json
import re
from collections.abc import Iterator

import msgspec

from syncsvc.errors import Rejected

DEEPEST = 10_000  # Go's own limit
WALKED = 64 * 1024  # bytes walked in Python; a longer object is read at once, or refused
SMALLEST, LARGEST = -(2**63), 2**63 - 1

SPACE = re.compile(rb"[ \t\r\n]*")
TEXT = re.compile(rb'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
ATOM = re.compile(rb"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
WHOLE = re.compile(rb"-?[0-9]+")
SURROGATE = re.compile("[\ud800-\udfff]")
CLOSES = {b"{": b"}", b"[": b"]"}
KINDS = {b'"': "a string", b"{": "an object", b"[": "a list", b"t": "true", b"f": "false"}


def members(source: bytes, field: str) -> Iterator[tuple[str, bytes]]:
    """Give the keys of an object, case folded, and the bytes of their values, in order.

    Raises Rejected when it is no JSON object; null has no members.
    """
    source = source.strip(b" \t\r\n")
    if source == b"null":
        return iter(())
    if len(source) > WALKED:
        return iter(_at_once(source, field))
    if not source.startswith(b"{"):
        raise Rejected(f"{field}: expected an object, found {kind(source)}")
    return iter(_Walk(source, field).members())


def text(raw: bytes, field: str) -> str:
    """Read a string. Raises Rejected."""
    if not raw.startswith(b'"'):
        raise Rejected(f"{field}: expected a string, found {kind(raw)}")
    return _unquote(raw)


def whole(raw: bytes, field: str) -> int:
    """Read an integer of 64 bits. Raises Rejected."""
    if not WHOLE.fullmatch(raw):
        raise Rejected(f"{field}: expected an integer, found {kind(raw)}")
    if len(raw) > 20 or not SMALLEST <= int(raw) <= LARGEST:
        raise Rejected(f"{field}: expected an integer of 64 bits, found {raw[:40].decode()}")
    return int(raw)


def kind(raw: bytes) -> str:
    """Say what a value is."""
    if not raw:
        return "nothing"
    if raw[:1] in b"-0123456789":
        return f"the number {raw[:40].decode(errors='replace')}"
    return KINDS.get(raw[:1], "null" if raw == b"null" else "no JSON")


def _at_once(source: bytes, field: str) -> list[tuple[str, bytes]]:
    try:
        found = msgspec.json.decode(source, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError as error:
        raise Rejected(f"{field}: expected an object, found {kind(source)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"{field}: expected JSON, found something else: {error}") from error
    return [(key.casefold(), bytes(raw)) for key, raw in found.items()]


def _unquote(raw: bytes) -> str:
    # Each byte that is no UTF-8, and each half of a pair that stands alone, is a surrogate now.
    said: str = json.loads(raw.decode("utf-8", "surrogateescape"))
    return SURROGATE.sub("\ufffd", said)


class _Walk:
    """One pass over an object that starts with a brace."""

    def __init__(self, source: bytes, field: str) -> None:
        self._source = source
        self._field = field
        self._at = 0

    def members(self) -> list[tuple[str, bytes]]:
        found = []
        self._take(b"{")
        more = not self._took(b"}")
        while more:
            key = _unquote(self._key()).casefold()
            found.append((key, self._value()))
            more = self._took(b",")
            if not more:
                self._take(b"}")
        self._skip_space()
        if self._at != len(self._source):
            raise self._wrong()
        return found

    def _value(self) -> bytes:
        self._skip_space()
        start = self._at
        self._skip_value()
        return self._source[start : self._at]

    def _skip_value(self) -> None:
        """Step over a value; a stack instead of recursion, so that no depth breaks it."""
        closers: list[bytes] = []
        ended = False  # whether the value that stands before this place is complete
        while not ended or closers:
            ended = self._step_out(closers) if ended else self._step_in(closers)
            if len(closers) > DEEPEST:
                raise Rejected(f"{self._field}: expected at most {DEEPEST} levels, found more")

    def _step_in(self, closers: list[bytes]) -> bool:
        self._skip_space()
        opener = self._source[self._at : self._at + 1]
        closer = CLOSES.get(opener)
        if closer is None:
            self._atom()
            return True
        self._at += 1
        if self._took(closer):
            return True
        closers.append(closer)
        if closer == b"}":
            self._key()
        return False

    def _step_out(self, closers: list[bytes]) -> bool:
        if not self._took(b","):
            self._take(closers.pop())
            return True
        if closers[-1] == b"}":
            self._key()
        return False

    def _key(self) -> bytes:
        self._skip_space()
        start = self._at
        self._match(TEXT)
        key = self._source[start : self._at]
        self._take(b":")
        return key

    def _atom(self) -> None:
        self._match(TEXT if self._source[self._at : self._at + 1] == b'"' else ATOM)

    def _match(self, pattern: re.Pattern[bytes]) -> None:
        found = pattern.match(self._source, self._at)
        if found is None:
            raise self._wrong()
        self._at = found.end()

    def _skip_space(self) -> None:
        found = SPACE.match(self._source, self._at)
        self._at = found.end() if found else self._at

    def _took(self, mark: bytes) -> bool:
        self._skip_space()
        if not self._source.startswith(mark, self._at):
            return False
        self._at += 1
        return True

    def _take(self, mark: bytes) -> None:
        if not self._took(mark):
            raise self._wrong()

    def _wrong(self) -> Rejected:
        return Rejected(f"{self._field}: expected JSON, found something else at byte {self._at}")
