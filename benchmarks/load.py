"""A small HTTP load generator: many connections, one request at a time on each."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from benchmarks.machine import cpu_seconds

RequestFor = Callable[[int], bytes]


@dataclass(frozen=True)
class Measured:
    """What one load gave: answers per second, and CPU of the servers per answer."""

    name: str
    per_second: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    failed: int


def post(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is in."""

    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._load.note(time.perf_counter() - self._sent_at, ok=head[9:12] == b"200")
        self._next()

    def _next(self) -> None:
        request = self._load.next_request()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def connection_lost(self, error: Exception | None) -> None:
        self._load.lost()


class _Load:
    def __init__(
        self, request_for: RequestFor, seconds: float, connections: int, most: int | None = None
    ) -> None:
        self._request_for = request_for
        self._numbers = iter(range(most)) if most is not None else count()
        self._until = time.perf_counter() + seconds
        self._open = connections
        self.latencies: list[float] = []
        self.failed = 0
        self.done = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        number = next(self._numbers, None)
        if number is None or time.perf_counter() >= self._until:
            return None
        return self._request_for(number)

    def note(self, latency: float, *, ok: bool) -> None:
        self.latencies.append(latency)
        self.failed += not ok

    def lost(self) -> None:
        self._open -= 1
        if not self._open and not self.done.done():
            self.done.set_result(None)


async def once(name: str, address: tuple[str, int], request_for: RequestFor, requests: int) -> None:
    """Send so many requests, one after another; each must succeed."""
    load = _Load(request_for, seconds=60, connections=1, most=requests)
    await asyncio.get_running_loop().create_connection(lambda: _Connection(load), *address)
    await load.done
    assert not load.failed, f"{load.failed} of {requests} {name} failed"


async def measure(
    name: str,
    address: tuple[str, int],
    request_for: RequestFor,
    *,
    pids: list[int],
    seconds: float = 4,
    connections: int = 64,
) -> Measured:
    """Load one address for a while; `pids` are the processes whose CPU is counted."""
    loop = asyncio.get_running_loop()
    load = _Load(request_for, seconds, connections)
    before, started = cpu_seconds(pids), time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(load), *address)
    await load.done
    wall, cpu = time.perf_counter() - started, cpu_seconds(pids) - before
    latencies = sorted(load.latencies)
    answers = len(latencies)
    return Measured(
        name,
        per_second=answers / wall,
        cpu_us=cpu / answers * 1e6,
        p50_ms=latencies[answers // 2] * 1000,
        p99_ms=latencies[int(answers * 0.99)] * 1000,
        failed=load.failed,
    )
