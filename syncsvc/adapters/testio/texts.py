"""The text of an answer, without what no database of ours can store.

A NUL character is left out; what is no Unicode (half of a surrogate pair, a byte that is no UTF-8)
becomes the sign for it, U+FFFD.
"""

import re

import msgspec

LONGEST_SHOWN = 200
_SUSPICIOUS = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_ESCAPE = re.compile(
    r"\\(?:(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|(?P<nul>u0000)|.)",
    re.DOTALL,
)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def text_of(body: bytes) -> str:
    """Give JSON in which every text can be stored."""
    text = body.decode("utf-8-sig", "replace")
    return _ESCAPE.sub(_storable, text) if _SUSPICIOUS.search(text) else text


def error_text(body: bytes) -> str:
    """Give what an answer says in its `error`, in one short line; nothing if it says nothing."""
    try:
        said = msgspec.json.decode(_OBJECT.decode(text_of(body))["error"])
    except (msgspec.MsgspecError, KeyError, RecursionError):
        return ""
    return "" if said is None else shown(said)


def shown(found: object) -> str:
    """Show something in one short line."""
    line = " ".join(str(found).split())
    return "".join(sign for sign in line if sign.isprintable())[:LONGEST_SHOWN]


def _storable(escape: re.Match[str]) -> str:
    if escape["nul"]:
        return ""
    return r"\ufffd" if escape["half"] else escape[0]
