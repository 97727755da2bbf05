"""Who comes to Sync Storage while it still starts is let in, and waits there until it serves."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from syncsvc.doors import SERVES, Listener, bind
from syncsvc.launcher import porter

PATIENCE = 30  # seconds
REGISTER = b"POST /register HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Entrance:
    """An open port with a porter at it; whoever has `bell` stands for the service."""

    listening: list[socket.socket]
    bell: int
    porter: "subprocess.Popen[bytes]"

    def call(self, said: bytes) -> socket.socket:
        caller = socket.create_connection(self.listening[0].getsockname(), PATIENCE)
        caller.sendall(said)
        return caller

    def serve(self) -> None:
        os.write(self.bell, SERVES)

    def next_caller(self) -> socket.socket:
        """Take a caller as the service does."""
        self.listening[0].settimeout(PATIENCE)
        caller, _ = self.listening[0].accept()
        caller.settimeout(PATIENCE)
        return caller

    def die(self) -> None:
        os.close(self.bell)
        self.bell = -1


@pytest.fixture
def entrance() -> Iterator[Entrance]:
    with ExitStack() as closing:
        listening = bind(Listener("Sync Storage", "127.0.0.1", 0, ""))
        for each in listening:
            closing.callback(each.close)
        heard, bell = os.pipe()
        files = (heard, *(each.fileno() for each in listening))
        command = [sys.executable, "-I", "-S", porter.__file__, *map(str, files)]
        with subprocess.Popen(command, pass_fds=files) as working:
            os.close(heard)
            made = Entrance(listening, bell, working)
            yield made
            if made.bell != -1:
                made.die()
            working.wait(PATIENCE)


def all_of(caller: socket.socket) -> bytes:
    with caller:
        return b"".join(iter(lambda: caller.recv(1000), b""))


def test_an_adapter_that_looks_finds_it_healthy(entrance):
    answer = all_of(entrance.call(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"))

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b'{"status":"running","last_update":"2026-01-01T00:00:00.000Z"}')


def test_a_request_that_comes_early_is_answered_by_the_service(entrance):
    adapter = entrance.call(REGISTER)
    assert_it_was_taken(entrance)

    entrance.serve()
    with entrance.next_caller() as passed_on:
        assert passed_on.recv(1000) == REGISTER
        passed_on.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        passed_on.shutdown(socket.SHUT_WR)
        assert adapter.recv(1000) == b"HTTP/1.1 200 OK\r\n\r\n"
        adapter.close()
        assert passed_on.recv(1) == b""  # the service sees who has gone

    assert entrance.porter.wait(PATIENCE) == 0


def test_it_leaves_when_nobody_waits_for_it(entrance):
    entrance.serve()

    assert entrance.porter.wait(PATIENCE) == 0
    with entrance.call(REGISTER), entrance.next_caller() as served:
        assert served.recv(1000) == REGISTER


def test_who_waits_for_a_service_that_dies_is_hung_up_on(entrance):
    adapter = entrance.call(REGISTER)
    assert_it_was_taken(entrance)

    entrance.die()

    assert entrance.porter.wait(PATIENCE) == 1
    assert all_of(adapter) == b""


def test_a_caller_who_says_nothing_keeps_nobody_waiting(entrance):
    with entrance.call(b""), entrance.call(b"GET"):
        test_an_adapter_that_looks_finds_it_healthy(entrance)


def assert_it_was_taken(entrance: Entrance) -> None:
    """See that earlier callers are inside: one who came later has been answered."""
    test_an_adapter_that_looks_finds_it_healthy(entrance)
