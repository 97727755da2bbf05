"""Data over HTTP: new tests written to disk before the answer, and known ones read."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count

from benchmarks.crowd import crowd, exchange
from benchmarks.figures import Figure, Goal, cpu_figure, medians, plain_figure
from benchmarks.sides import Side, metered, new_test

TURNS = 2  # for each repeat
SECONDS = 0.6
_CREDENTIALS = "Basic YmVuY2g6YmVuY2g="  # any will do where none are configured, but one must be
_BODY = b'{"step":"' + b"x" * 53 + b'"}'  # 64 bytes, as an agent's few facts
_GOALS = {"POST": Goal(2000, at_least=True), "GET": Goal(8000, at_least=True)}

Requests = Callable[[], bytes]


def measure(sides: Sequence[Side], sizes: Iterable[int], repeats: int) -> Iterator[Figure]:
    for connections in sizes:
        for method, requests in (("POST", _new), ("GET", _known)):
            samples: dict[str, list[float]] = defaultdict(list)
            made = {side.name: requests(side) for side in sides}
            for number in range(TURNS * repeats + 1):
                for side in sides:
                    for name, value in _turn(side, connections, made[side.name], number):
                        samples[name].append(value)
            yield from _figures(method, connections, medians(samples))


def request(method: str, path: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {_CREDENTIALS}\r\n"
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{head}{length}\r\n".encode() + body


def _new(_side: Side) -> Requests:
    """Give requests that store something for tests that nobody has seen."""
    numbers = count(new_test() * 1_000_000)
    before, after = request("POST", "/tests/@", _BODY).split(b"@")
    return lambda: b"%b%d%b" % (before, next(numbers), after)


def _known(side: Side) -> Requests:
    """Give requests that read what is stored."""
    path = f"/tests/{new_test()}"
    with crowd([side.http], 1) as writer:
        write = request("POST", path, _BODY)
        exchange(writer, lambda: write, is_ok(allowed=(b"200", b"409")), seconds=0)
    read = request("GET", path)
    return lambda: read


def _turn(
    side: Side, connections: int, requests: Requests, number: int
) -> Iterator[tuple[str, float]]:
    with crowd([side.http], connections) as them, metered(side) as meter:
        had = exchange(them, requests, is_ok(), SECONDS)
    if not number:  # the first one warms up
        return
    yield f"{side.name} per", had.per_second
    yield f"{side.name} p99", had.percentile_ms(0.99)
    for group, cpu_us in meter.per(had.answers).items():
        yield f"{group} us", cpu_us


def is_ok(allowed: Sequence[bytes] = (b"200",)) -> Callable[[int, bytes], bool]:
    """Tell whether an answer is whole; anything but these statuses fails."""
    usual = 0
    parts: dict[int, bytes] = {}

    def is_answer(fd: int, got: bytes) -> bool:
        nonlocal usual
        if len(got) == usual and got[9:12] in allowed:
            return True
        got = parts.pop(fd, b"") + got
        if _missing(got):
            parts[fd] = got
            return False
        assert got[9:12] in allowed, f"found {got[:500]!r}"
        usual = len(got)
        return True

    return is_answer


def _missing(got: bytes) -> bool:
    assert got, "the server closed a connection"
    head, found, body = got.partition(b"\r\n\r\n")
    if not found:
        return True
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
    return len(body) < int(length or 0)


def _figures(method: str, connections: int, found: dict[str, float]) -> Iterator[Figure]:
    part, case = f"{method} /tests/{{id}}", f"{connections} connections"
    yield plain_figure(part, case, "per s", found, _GOALS[method])
    yield plain_figure(part, case, "p99 ms", found)
    yield cpu_figure(part, case, "CPU us", found)
