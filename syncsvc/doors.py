"""The ports that a process listens at: opened by itself, or before it by whoever started it.

A port that is open before its server has started refuses nobody: who comes early waits.
"""

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from syncsvc.errors import Rejected
from syncsvc.settings import LOOPBACK, is_loopback

DOORS = "SYNCSVC_SYNC_STORAGE_DOORS"
BACKLOG = 2048
SERVES = b"1"


@dataclass(frozen=True, slots=True)
class Listener:
    """A port to listen on; `option` names how to change it."""

    name: str
    host: str
    port: int
    option: str
    shared: bool = False  # with other processes of this host


@dataclass(frozen=True, slots=True)
class Doors:
    """Open sockets that a process is given by number, and the pipe to tell that it serves them."""

    listening: tuple[int, ...]
    bell: int

    @classmethod
    def given(cls, environ: Mapping[str, str]) -> "Doors | None":
        """Read what the environment says of them.

        Raises Rejected when that is not a list of sockets that are open here.
        """
        said = environ.get(DOORS)
        if not said:
            return None
        try:
            bell, *listening = (int(number) for number in said.split(","))
            for number in (bell, *listening):
                os.fstat(number)
        except (OSError, ValueError) as error:
            raise Rejected(
                f"{DOORS}: expected the numbers of open files, found {said!r} ({error}): "
                "the launcher sets it for its own daemon, so remove it from the environment"
            ) from error
        return cls(tuple(listening), bell)

    @property
    def numbers(self) -> tuple[int, ...]:
        return (self.bell, *self.listening)

    @property
    def environ(self) -> dict[str, str]:
        """Spell them for whoever inherits them."""
        return {DOORS: ",".join(str(number) for number in self.numbers)}

    def sockets(self) -> list[socket.socket]:
        return [_adopted(number) for number in self.listening]

    def ring(self) -> None:
        """Tell that whoever comes is served from now on."""
        with suppress(OSError):  # after a restart nobody listens any more
            os.write(self.bell, SERVES)


def bind(listener: Listener) -> list[socket.socket]:
    """Open the sockets of a port: both loopback addresses, or the one host that was asked for.

    Raises Rejected that names the port and the option when it cannot be had.
    """
    hosts: Sequence[str] = LOOPBACK if is_loopback(listener.host) else (listener.host,)
    sockets: list[socket.socket] = []
    port = listener.port
    for host in hosts:
        opened = _open(listener, host, port)
        if opened is not None:
            sockets.append(opened)
            port = opened.getsockname()[1]  # port 0: the second address takes the same one
    return sockets


def _open(listener: Listener, host: str, port: int) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else Nagle stays
    except OSError:
        if host == LOOPBACK[1]:
            return None  # a host without IPv6
        raise
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(listener.shared))
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind((host, port))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        if family == socket.AF_INET6 and error.errno == 99:  # no such address: IPv6 is off
            return None
        raise Rejected(
            f"cannot listen on {host}:{port} ({listener.name}): {error.strerror}; "
            f"stop whoever has it, or choose another with {listener.option}"
        ) from error
    opened.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return opened


def _adopted(number: int) -> socket.socket:
    opened = socket.socket(fileno=os.dup(number))
    opened.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return opened
