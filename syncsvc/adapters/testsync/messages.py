"""Messages that come in pieces, and the answer to a close."""

NEVER_SENT = frozenset({0, 1004, 1005, 1006, 1015})
PROTOCOL_ERROR = (1002).to_bytes(2)


class Fragments:
    """The pieces of one message, up to a size."""

    __slots__ = ("_limit", "_message")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._message = bytearray()

    def add(self, piece: bytes) -> bool:
        """Take a piece; False when the message has become too large."""
        self._message += piece
        return len(self._message) <= self._limit

    def joined(self) -> bytes:
        return bytes(self._message)


def close_answer(payload: bytes) -> bytes:
    """Give the payload that answers a close: its code alone, or 1002 if there is no such code."""
    code = int.from_bytes(payload[:2])
    if payload and (code in NEVER_SENT or not 1000 <= code < 5000):
        return PROTOCOL_ERROR + b"bad close code %d" % code
    return payload[:2]
