"""A file as a form of one field, sent piece by piece: none is ever whole in memory."""

import mimetypes
import secrets
from collections.abc import AsyncIterator

from syncsvc.adapters.testit.calls import Streamed
from syncsvc.errors import Rejected

UNKNOWN_TYPE = "application/octet-stream"


def form(name: str, size: int, content: AsyncIterator[bytes]) -> Streamed:
    """Give the form and its size.

    Reading it raises Rejected when the content is not as long as `size` says.
    """
    boundary = secrets.token_hex(16)
    kind = mimetypes.guess_type(name)[0] or UNKNOWN_TYPE
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{_quoted(name)}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    pieces = _around(head, _of_size(name, size, content), tail)
    media_type = f"multipart/form-data; boundary={boundary}"
    return Streamed(pieces, len(head) + size + len(tail), media_type)


async def _around(head: bytes, content: AsyncIterator[bytes], tail: bytes) -> AsyncIterator[bytes]:
    yield head
    async for piece in content:
        yield piece
    yield tail


async def _of_size(name: str, size: int, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass a content on and see that it keeps the length that was announced."""
    sent = 0
    async for piece in content:
        sent += len(piece)
        if sent > size:
            break
        yield piece
    if sent != size:
        raise Rejected(f"attachment {name}: expected {size} bytes, found {sent} or more")


def _quoted(name: str) -> str:
    """Write a file name as browsers do in a form."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
