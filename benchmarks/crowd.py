"""Many connections driven from one thread, with prepared bytes and one epoll.

It is lean so that the server under load is what is measured: nothing is made, decoded or
stamped for a single answer; stamps are taken for each batch that epoll gives.
"""

import gc
import os
import select
import socket
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from secrets import randbelow
from time import perf_counter

from benchmarks.frames import BINARY, PING, PONG, TEXT, UPGRADED, Incoming, masked

Address = tuple[str, int]
IsAnswer = Callable[[int, bytes], bool]  # whether what was read from a connection completes one
AT_ONCE = 128  # upgrades under way at one moment
PATIENCE = 10.0  # seconds without any answer, after which a measurement has failed
PER_SOURCE = 20_000  # connections from one loopback address; the next has ports of its own
_BIND_NO_PORT = 24  # IP_BIND_ADDRESS_NO_PORT: the port is chosen when the other end is known
_MOST = 65_536


@dataclass
class Crowd:
    """Open connections by their file descriptors."""

    poll: select.epoll = field(default_factory=select.epoll)
    fds: list[int] = field(default_factory=list)
    joining: float = 0.0  # seconds that it took to open them
    _incoming: dict[int, Incoming] = field(default_factory=dict)

    def join(self, addresses: Sequence[Address], count: int, upgrade: bytes | None) -> None:
        """Open connections, to the addresses in turn."""
        started = perf_counter()
        plan = islice(_openings(addresses), count)
        pending: set[int] = set()
        while len(self.fds) < count or pending:
            for address, source in islice(plan, AT_ONCE - len(pending)):
                fd = self._open(address, source)
                if upgrade is not None:
                    os.write(fd, upgrade)
                    pending.add(fd)
            if pending:
                self._upgraded(pending)
        self.joining = perf_counter() - started

    def _open(self, address: Address, source: str) -> int:
        opened = socket.socket()
        opened.setsockopt(socket.IPPROTO_IP, _BIND_NO_PORT, 1)
        opened.bind((source, 0))
        opened.connect(address)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fd = opened.detach()
        self.poll.register(fd, select.EPOLLIN)
        self.fds.append(fd)
        return fd

    def _upgraded(self, pending: set[int]) -> None:
        for fd in self.ready():
            got = os.read(fd, _MOST)
            if fd in pending:
                head, _, got = got.partition(b"\r\n\r\n")
                assert head.startswith(UPGRADED), f"expected an upgrade, found {head[:200]!r}"
                pending.discard(fd)
            if got:
                self.expect_nothing(fd, got)

    def ready(self, seconds: float = PATIENCE) -> Iterator[int]:
        """Give the connections that something arrived on. Fails after the patience."""
        found = self.poll.poll(seconds, _MOST)
        assert found or seconds < PATIENCE, f"no answer within {seconds:g} s"
        return (fd for fd, _event in found)

    def messages(self, fd: int, got: bytes) -> Iterator[bytes]:
        """Answer the pings among what was read from a connection, and give the messages."""
        assert got, "the server closed a connection"
        incoming = self._incoming.setdefault(fd, Incoming())
        for opcode, payload in incoming.frames(got):
            if opcode == PING:
                os.write(fd, masked(payload, PONG))
            else:
                assert opcode in {TEXT, BINARY}, f"unexpected frame {opcode}: {payload[:200]!r}"
                yield payload

    def expect_nothing(self, fd: int, got: bytes) -> None:
        """Answer pings. Fails if a message came."""
        for message in self.messages(fd, got):
            raise AssertionError(f"expected no message, found {message[:200]!r}")

    def leave(self) -> None:
        """Close all connections."""
        for fd in self.fds:
            os.close(fd)
        self.fds.clear()
        self.poll.close()


@contextmanager
def crowd(
    addresses: Sequence[Address], count: int, upgrade: bytes | None = None
) -> Iterator[Crowd]:
    joined = Crowd()
    try:
        with undisturbed():
            joined.join(addresses, count, upgrade)
            yield joined
    finally:
        joined.leave()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep the collector away meanwhile."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _openings(addresses: Sequence[Address]) -> Iterator[tuple[Address, str]]:
    """Give addresses in turn, and source addresses, whose ports no crowd before has worn out."""
    while True:
        source = f"127.{randbelow(254) + 1}.{randbelow(256)}.{randbelow(254) + 1}"
        for address in islice(cycle(addresses), PER_SOURCE):
            yield address, source


@dataclass(frozen=True)
class Exchanged:
    """What a closed loop gave: on each connection the next request follows the answer."""

    answers: int
    seconds: float
    latencies_ms: Sequence[float]  # sorted

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds

    def percentile_ms(self, part: float) -> float:
        return self.latencies_ms[int(part * (len(self.latencies_ms) - 1))]


def exchange(
    them: Crowd, request: Callable[[], bytes], is_answer: IsAnswer, seconds: float
) -> Exchanged:
    """Let each connection ask again as soon as it has been answered."""
    poll, read, write = them.poll.poll, os.read, os.write
    batches: list[tuple[float, list[tuple[int, int]]]] = []
    started = perf_counter()
    for fd in them.fds:
        write(fd, request())
    until, now, answers = started + seconds, started, 0
    while now < until:
        found = poll(PATIENCE, _MOST)
        now = perf_counter()
        batches.append((now, found))
        for fd, _event in found:
            if is_answer(fd, read(fd, _MOST)):
                answers += 1
                write(fd, request())
        assert found, f"no answer within {PATIENCE:g} s"
    _finish(them, is_answer)
    return Exchanged(answers, now - started, _latencies(batches, started))


def _finish(them: Crowd, is_answer: IsAnswer) -> None:
    """Take the answers that are still under way."""
    waiting = set(them.fds)
    while waiting:
        for fd in them.ready():
            if is_answer(fd, os.read(fd, _MOST)):
                waiting.discard(fd)


def _latencies(
    batches: Iterable[tuple[float, list[tuple[int, int]]]], started: float
) -> Sequence[float]:
    """Give the time between a connection's answers: it asks again as soon as it has one."""
    last: dict[int, float] = {}
    latencies = array("d")
    for at, found in batches:
        for fd, _event in found:
            latencies.append((at - last.get(fd, started)) * 1000)
            last[fd] = at
    return sorted(latencies)
