"""One stream for the lines of many processes, each marked with the name of its speaker."""

import os
import queue
import threading
from contextlib import suppress
from typing import Self, TextIO

OURS = "up"
CAPACITY = 10_000  # lines that wait for a slow reader; more are counted, not kept
LAST_LINES_WITHIN_S = 0.5
_WIDTH = 9
_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class Console:
    """Prints whole lines; coloured on a terminal only, and never where NO_COLOR asks not to.

    A thread writes, so a reader that is stopped (Ctrl-S) or has gone stops nobody else.
    """

    def __init__(self, descriptor: int, *, coloured: bool = False) -> None:
        self._descriptor = descriptor
        self._coloured = coloured
        self._seen: dict[str, int] = {}
        self._dropped = 0
        self._waiting: queue.Queue[str | None] = queue.Queue(CAPACITY)
        self._writer = threading.Thread(target=self._write, name="console", daemon=True)

    @classmethod
    def on(cls, stream: TextIO) -> Self:
        """Print where a stream prints."""
        coloured = stream.isatty() and not os.environ.get("NO_COLOR")
        return cls(stream.fileno(), coloured=coloured)

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        with suppress(queue.Full):
            if self._dropped:
                self._waiting.put(self._missing(), timeout=LAST_LINES_WITHIN_S)
            self._waiting.put(None, timeout=LAST_LINES_WITHIN_S)
            self._writer.join(LAST_LINES_WITHIN_S)

    def line(self, name: str, text: str) -> None:
        """Print one line of a speaker."""
        if self._dropped and not self._waiting.full():
            self._put(self._missing())
        self._put(f"{self._prefix(name)} {text}\n")

    def say(self, text: str) -> None:
        """Print what the supervisor itself has to say."""
        for line in text.splitlines():
            self.line(OURS, line)

    def _missing(self) -> str:
        dropped, self._dropped = self._dropped, 0
        return f"{self._prefix(OURS)} {dropped} lines are missing here: nobody read this output\n"

    def _put(self, line: str) -> None:
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while (line := self._waiting.get()) is not None:
            left = line.encode(errors="replace")
            try:
                while left:
                    left = left[os.write(self._descriptor, left) :]
            except OSError:
                continue  # whoever read this has gone

    def _prefix(self, name: str) -> str:
        prefix = f"{name:<{_WIDTH}} |"
        if not self._coloured:
            return prefix
        place = self._seen.setdefault(name, len(self._seen))
        return f"\x1b[{_COLOURS[place % len(_COLOURS)]}m{prefix}\x1b[0m"
