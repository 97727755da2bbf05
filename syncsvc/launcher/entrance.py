"""Sync Storage's port is open, with a porter at it, before the service itself has started.

An adapter for Python gives up after five seconds, which a machine full of tests does not always
leave to a service that has a database and a dozen libraries to load.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from syncsvc.doors import Doors, Listener, bind
from syncsvc.errors import Rejected
from syncsvc.launcher import porter


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where adapters come to Sync Storage."""

    host: str
    port: int


@contextmanager
def opened(at: Entrance, folder: Path) -> Iterator[Doors | None]:
    """Open the port for whoever inherits it, with a porter that works in a folder.

    None if it cannot be had, or any port will do: `up` opens it then, or says who has it.
    """
    with ExitStack() as closing:
        try:
            listening = bind(Listener("Sync Storage", at.host, at.port, "")) if at.port else []
        except Rejected:
            listening = []
        if not listening:
            yield None
            return
        for each in listening:
            closing.callback(each.close)
        heard, bell = os.pipe()
        closing.callback(os.close, bell)
        closing.callback(os.close, heard)
        numbers = tuple(each.fileno() for each in listening)
        _hire_porter(heard, numbers, folder)
        yield Doors(numbers, bell)


def _hire_porter(heard: int, listening: tuple[int, ...], folder: Path) -> None:
    files = [str(number) for number in (heard, *listening)]
    subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-I", "-S", porter.__file__, *files],
        cwd=folder,
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=(heard, *listening),
    )
