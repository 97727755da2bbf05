"""Which Content-Type a Go server puts on bytes that come without one.

It looks at the first 512 bytes, by the table of https://mimesniff.spec.whatwg.org as Go's
`net/http` has it; what fits nowhere is text, unless it has bytes that no text has.
"""

import re

LOOKED_AT = 512
TEXT = b"text/plain; charset=utf-8"
BINARY = b"application/octet-stream"

_SPACE = rb"[\t\n\x0c\r ]*"
_HTML = _SPACE + (
    rb"<(?i:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--)"
    rb"[ >]"
)
_TYPES: tuple[tuple[bytes, bytes], ...] = (
    (_HTML, b"text/html; charset=utf-8"),
    (_SPACE + rb"<\?xml", b"text/xml; charset=utf-8"),
    (rb"%PDF-", b"application/pdf"),
    (rb"%!PS-Adobe-", b"application/postscript"),
    (rb"\xfe\xff..", b"text/plain; charset=utf-16be"),
    (rb"\xff\xfe..", b"text/plain; charset=utf-16le"),
    (rb"\xef\xbb\xbf.", TEXT),
    (rb"GIF8[79]a", b"image/gif"),
    (rb"\x89PNG\r\n\x1a\n", b"image/png"),
    (rb"\xff\xd8\xff", b"image/jpeg"),
    (rb"BM", b"image/bmp"),
    (rb"RIFF....WEBPVP", b"image/webp"),
    (rb"\x00\x00\x01\x00", b"image/vnd.microsoft.icon"),
    (rb"OggS\x00", b"application/ogg"),
    (rb"RIFF....WAVE", b"audio/wave"),
    (rb"\x1a\x45\xdf\xa3", b"video/webm"),
    (rb"Rar \x1a\x07\x00", b"application/x-rar-compressed"),
    (rb"PK\x03\x04", b"application/zip"),
    (rb"\x1f\x8b\x08", b"application/x-gzip"),
)
_KNOWN = re.compile(b"|".join(b"(" + pattern + b")" for pattern, _ in _TYPES), re.DOTALL)
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def sniff(content: bytes) -> bytes:
    """Give the Content-Type of bytes."""
    start = content[:LOOKED_AT]
    known = _KNOWN.match(start)
    if known is not None and known.lastindex is not None:
        return _TYPES[known.lastindex - 1][1]
    if _is_mp4(start):
        return b"video/mp4"
    return BINARY if _NO_TEXT.search(start) else TEXT


def _is_mp4(start: bytes) -> bool:
    if start[4:8] != b"ftyp" or len(start) < 12:
        return False
    size = int.from_bytes(start[:4], "big")
    if size % 4 or len(start) < size:
        return False
    brands = (place for place in range(8, size, 4) if place != 12)  # at 12 is a version number
    return any(start[place : place + 3] == b"mp4" for place in brands)
