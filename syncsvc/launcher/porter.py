"""Stands at Sync Storage's open port until the service does: a program with nothing to load.

    porter.py HEARD LISTENING...    numbers of open files

It says that the service is there, for nobody who comes is sent away: any other request waits
here until the service says over HEARD that it serves, and reaches it then. When HEARD ends
without a word, the service has died, and so has its entrance.
"""

import os
import selectors
import socket
import sys
import threading

LONGEST_START_S = 300.0
LONGEST_SILENCE_S = 960.0  # longer than the service keeps a connection on which nothing is said
READS_WITHIN_S = 5.0
LONGEST_HEAD = 64 * 1024
HEALTH = b"GET /health "
HEALTHY = b'{"status":"running","last_update":"2026-01-01T00:00:00.000Z"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(HEALTHY), HEALTHY)
)


def keep(heard: int, listening: list[socket.socket]) -> bool:
    """Let callers in until the service tells something; say whether it serves now."""
    serves = threading.Event()
    is_served = _let_in_until_told(heard, listening, serves)
    for each in listening:
        each.close()  # only the service takes callers now, so those who waited reach it
    if is_served:
        serves.set()
    return is_served


def _let_in_until_told(heard: int, listening: list[socket.socket], serves: threading.Event) -> bool:
    with selectors.DefaultSelector() as ready:
        ready.register(heard, selectors.EVENT_READ)
        for each in listening:
            ready.register(each, selectors.EVENT_READ, each)
        while found := [key.data for key, _ in ready.select(LONGEST_START_S)]:
            if None in found:
                return os.read(heard, 1) != b""
            for each in found:
                _let_in(each, serves)
    return False


def _let_in(listening: socket.socket, serves: threading.Event) -> None:
    try:
        caller, _ = listening.accept()
    except OSError:  # gone already, or taken by the service
        return
    threading.Thread(target=_attend, args=(caller, serves)).start()


def _attend(caller: socket.socket, serves: threading.Event) -> None:
    with caller:
        try:
            caller.settimeout(READS_WITHIN_S)
            said = _head(caller)
            if said.startswith(HEALTH):
                caller.sendall(ANSWER)
            elif said and serves.wait(LONGEST_START_S):
                _pass_on(caller, said)
        except OSError:
            return  # the caller, or the service, has hung up


def _head(caller: socket.socket) -> bytes:
    """Read what a request begins with; nothing if it does not come."""
    said = b""
    while b"\r\n" not in said and len(said) < LONGEST_HEAD:
        more = caller.recv(LONGEST_HEAD)
        if not more:
            return b""
        said += more
    return said


def _pass_on(caller: socket.socket, said: bytes) -> None:
    """Be the line between a caller who was early and the service, until either hangs up."""
    caller.settimeout(LONGEST_SILENCE_S)
    with socket.create_connection(caller.getsockname()[:2], LONGEST_SILENCE_S) as service:
        service.sendall(said)
        back = threading.Thread(target=_copy, args=(service, caller))
        back.start()
        _copy(caller, service)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while said := source.recv(LONGEST_HEAD):
            target.sendall(said)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (source, target):
            _hang_up(each)


def _hang_up(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is down already


if __name__ == "__main__":
    told_by, *opened = (int(number) for number in sys.argv[1:])
    if not keep(told_by, [socket.socket(fileno=number) for number in opened]):
        os._exit(1)  # those who wait are hung up on: nobody will serve them
