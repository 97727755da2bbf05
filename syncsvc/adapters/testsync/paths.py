"""What a path on TestSync's HTTP port names, by the rules of the router that it was made with."""

import re
from urllib.parse import quote, unquote_to_bytes

LARGEST_ID = 2**63 - 1

_TEST = re.compile(r"/tests/([0-9]+)/?")
_DIGITS = len(str(LARGEST_ID))
_UNTIDY = re.compile(r"[^/]|.*(?://|/\.)", re.DOTALL)
_AS_THEY_ARE = "$&+,/:;=@"  # besides letters, digits and -_.~


def digits_of(path: str) -> str | None:
    """Give the digits of `/tests/{id}`, with or without a slash after them; None elsewhere."""
    found = _TEST.fullmatch(path)
    return None if found is None else found[1]


def canonical(digits: str) -> str | None:
    """Give a test id as the decimal number it is; None when it is too large to be one."""
    bare = digits.lstrip("0") or "0"
    if len(bare) > _DIGITS or int(bare) > LARGEST_ID:
        return None
    return bare


def tidier(path: str, raw_path: bytes, query: bytes) -> bytes | None:
    """Give where to go instead of a path with `//`, `.` or `..`; None for a tidy one."""
    if _UNTIDY.match(path) is None:
        return None
    asked = unquote_to_bytes(raw_path)
    clean = _clean(asked)
    if clean == asked:
        return None
    return quote(clean, safe=_AS_THEY_ARE).encode() + (b"?" + query if query else b"")


def _clean(path: bytes) -> bytes:
    kept: list[bytes] = []
    for part in path.split(b"/"):
        if part == b"..":
            kept = kept[:-1]
        elif part not in (b"", b"."):
            kept.append(part)
    clean = b"/" + b"/".join(kept)
    return clean + b"/" if path.endswith(b"/") and kept else clean
