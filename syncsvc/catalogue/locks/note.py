"""What stands in a lock file: who has the lock, for a process that waits and for a person."""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

LONGEST = 1024  # bytes that are read of a lock file
_NOTE = re.compile(r"PID: (?P<pid>[1-9]\d{0,8})\nSTARTED: (?P<started>\S+)\nRUN: (?P<run>\S+)\n")


@dataclass(frozen=True, slots=True)
class Note:
    pid: int
    started: str
    run_id: str

    @property
    def is_of_the_living(self) -> bool:
        """Whether there is a process of that number; it may be another one by now."""
        try:
            with suppress(PermissionError):  # another user's
                os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def __str__(self) -> str:
        return f"run {self.run_id} of process {self.pid}, since {self.started}"


def note_of(run_id: str, now: datetime) -> bytes:
    return f"PID: {os.getpid()}\nSTARTED: {now.isoformat()}\nRUN: {run_id}\n".encode()


def read_note(file: int) -> Note | None:
    """Give what an open lock file says; None when it is empty, or not written to its end."""
    found = _NOTE.fullmatch(os.pread(file, LONGEST, 0).decode(errors="replace"))
    if found is None:
        return None
    return Note(int(found["pid"]), found["started"], found["run"])
