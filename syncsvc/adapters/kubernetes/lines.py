"""Lines of a container's log as a stream gives it: a newline alone ends one.

Whatever else looks like the end of a line, or is no UTF-8, belongs to the text.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

END = b"\n"


@dataclass
class Lines:
    """Puts pieces of a stream together to lines, which are given without their end."""

    _begun: bytearray = field(default_factory=bytearray, init=False)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Give the lines that a piece completes."""
        *ended, rest = piece.split(END)
        for line in ended:
            self._begun += line
            yield bytes(self._begun)
            self._begun.clear()
        self._begun += rest

    def rest(self) -> bytes:
        """Give what has begun and not ended."""
        return bytes(self._begun)
