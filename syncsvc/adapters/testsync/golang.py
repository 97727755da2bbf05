"""Reads JSON objects as Go's encoding/json does, for what a strict reader refuses.

Keys are matched without regard to case, the last of several wins, null leaves a value as it
was, and bytes that are no UTF-8 become U+FFFD. Numbers and texts keep their types.
"""

import json
import re
from collections.abc import Iterable
from enum import Enum, auto

from syncsvc.errors import Rejected

DEEPEST = 10_000  # Go's own limit
WALKED = 32 * 1024  # bytes; the walk is in Python, and nobody else is served meanwhile
SMALLEST, LARGEST = -(2**63), 2**63 - 1

_WS = rb"[ \t\r\n]*"
_TEXT = rb'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
BEGIN = re.compile(rb"\{%b(\}?)" % _WS)
KEY = re.compile(rb"%b(%b)%b:%b" % (_WS, _TEXT, _WS, _WS))
END = re.compile(rb"%b([,}])" % _WS)
TOKEN = re.compile(
    rb"%b(?:(?P<text>%b)|(?P<atom>true|false|null|%b)" % (_WS, _TEXT, _NUMBER)
    + rb"|(?P<comma>,)|(?P<colon>:)|(?P<open>[\[{])|(?P<close>[\]}]))"
)
SPACE = b" \t\r\n"
WHOLE = re.compile(rb"-?[0-9]+")
SURROGATE = re.compile("[\ud800-\udfff]")
KINDS = {b'"': "a string", b"{": "an object", b"[": "a list", b"t": "true", b"f": "false"}


class State(Enum):
    """What may come next."""

    VALUE = auto()
    FIRST = auto()  # a value, or the end of an empty list
    KEY = auto()
    FIRST_KEY = auto()  # a key, or the end of an empty object
    COLON = auto()
    AFTER = auto()  # a comma, or the end of what a value was in


RULES = {
    (State.VALUE, "open"): State.VALUE,
    (State.VALUE, "text"): State.AFTER,
    (State.VALUE, "atom"): State.AFTER,
    (State.FIRST, "open"): State.VALUE,
    (State.FIRST, "text"): State.AFTER,
    (State.FIRST, "atom"): State.AFTER,
    (State.FIRST, "close"): State.AFTER,
    (State.KEY, "text"): State.COLON,
    (State.FIRST_KEY, "text"): State.COLON,
    (State.FIRST_KEY, "close"): State.AFTER,
    (State.COLON, "colon"): State.VALUE,
    (State.AFTER, "comma"): State.VALUE,
    (State.AFTER, "close"): State.AFTER,
}


def members(source: bytes, field: str) -> Iterable[tuple[str, bytes]]:
    """Give the keys of an object, case folded, and the bytes of their values, in order.

    Raises Rejected when it is no JSON object, or too large; null has no members.
    """
    source = source.strip(SPACE)
    if source == b"null":
        return ()
    if not source.startswith(b"{"):
        raise Rejected(f"{field}: expected an object, found {kind(source)}")
    if len(source) > WALKED:
        raise Rejected(
            f"{field}: expected strict JSON with known keys, or at most {WALKED} bytes,"
            f" found {len(source)}"
        )
    return _Walk(source, field).members()


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


def _unquote(raw: bytes) -> str:
    # Each byte that is no UTF-8, and each half of a pair that stands alone, is a surrogate now.
    said: str = json.loads(raw.decode("utf-8", "surrogateescape"))
    return SURROGATE.sub("\ufffd", said)


class _Walk:
    """One pass over an object."""

    def __init__(self, source: bytes, field: str) -> None:
        self._source = source
        self._field = field
        self._at = 0

    def members(self) -> list[tuple[str, bytes]]:
        found = []
        mark = self._match(BEGIN)
        while mark != b"}":
            key = self._match(KEY)
            start = self._at
            self._skip_value()
            found.append((_unquote(key).casefold(), self._source[start : self._at]))
            mark = self._match(END)
        if self._at != len(self._source):
            raise self._wrong()
        return found

    def _match(self, pattern: re.Pattern[bytes]) -> bytes:
        found = pattern.match(self._source, self._at)
        if found is None:
            raise self._wrong()
        self._at = found.end()
        return found[1]

    def _skip_value(self) -> None:
        """Step over a value; a stack instead of recursion, so that no depth breaks it."""
        closers: list[bytes] = []
        state = State.VALUE
        while closers or state is not State.AFTER:
            token = TOKEN.match(self._source, self._at)
            if token is None or (state, token.lastgroup) not in RULES:
                raise self._wrong()
            state = self._next(state, token, closers)
            self._at = token.end()

    def _next(self, state: State, token: re.Match[bytes], closers: list[bytes]) -> State:
        name = str(token.lastgroup)
        if name == "open":
            return self._opened(token[name], closers)
        if name == "comma":
            return State.KEY if closers[-1] == b"}" else State.VALUE
        if name == "close" and closers.pop() != token[name]:
            raise self._wrong()
        return RULES[state, name]

    def _opened(self, mark: bytes, closers: list[bytes]) -> State:
        closers.append(b"}" if mark == b"{" else b"]")
        if len(closers) >= DEEPEST:
            raise Rejected(f"{self._field}: expected at most {DEEPEST} levels, found more")
        return State.FIRST_KEY if mark == b"{" else State.FIRST

    def _wrong(self) -> Rejected:
        return Rejected(f"{self._field}: expected JSON, found something else at byte {self._at}")
