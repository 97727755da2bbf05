"""The bytes of a WebSocket client, as many as a load needs: upgrade, masked frames, replies."""

import json
from collections.abc import Iterator

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_MASK = bytes.fromhex("37fa213d")
UPGRADED = b"HTTP/1.1 101"


def upgrade(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def command(name: str, content: object, **more: object) -> bytes:
    """Give the frame of a command."""
    said = {"command": name, **more, "content": content}
    return masked(json.dumps(said, separators=(",", ":")).encode())


def masked(payload: bytes, opcode: int = TEXT) -> bytes:
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | opcode, 0x80 | length))
    else:
        assert length < 65536, f"a frame of {length} bytes is not for a load"
        head = bytes((0x80 | opcode, 0x80 | 126)) + length.to_bytes(2, "big")
    key = (_MASK * (length // 4 + 1))[:length]
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return head + _MASK + hidden.to_bytes(length, "big")


class Incoming:
    """What arrives on one connection, cut into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def frames(self, got: bytes) -> Iterator[tuple[int, bytes]]:
        """Give the opcode and the payload of each frame that is complete by now."""
        self._rest += got
        while (frame := _first(self._rest)) is not None:
            opcode, payload, size = frame
            self._rest = self._rest[size:]
            yield opcode, payload


def _first(got: bytes) -> tuple[int, bytes, int] | None:
    if len(got) < 2:
        return None
    start, length = 2, got[1] & 0x7F
    if length >= 126:
        start = 4 if length == 126 else 10
        length = int.from_bytes(got[2:start], "big")
    if len(got) < start + length:
        return None
    return got[0] & 0x0F, got[start : start + length], start + length
