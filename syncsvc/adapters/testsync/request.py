"""What a request to TestSync's HTTP port says: its headers and its body."""

from collections.abc import Iterable

from starlette.types import Message, Receive, Scope

LARGEST_BODY = 10 * 1024 * 1024


class Left(Exception):
    """The caller went before it had said everything."""


def header(scope: Scope, wanted: bytes) -> bytes | None:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    for name, value in headers:
        if name == wanted:
            return value
    return None


async def read_body(scope: Scope, receive: Receive) -> bytes | None:
    """Read the whole body; None when it is too large.

    Raises Left.
    """
    announced = header(scope, b"content-length")
    if announced is not None and int(announced) > LARGEST_BODY:
        return None
    message = await _part(receive)
    if not message.get("more_body"):
        return message["body"] if len(message["body"]) <= LARGEST_BODY else None
    parts = bytearray(message["body"])
    while message.get("more_body") and len(parts) <= LARGEST_BODY:
        message = await _part(receive)
        parts += message["body"]
    return bytes(parts) if len(parts) <= LARGEST_BODY else None


async def _part(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Left
    return message
