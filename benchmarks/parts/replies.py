"""Request and reply on a few connections: what a question that waits for nothing costs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from benchmarks.crowd import Crowd, exchange
from benchmarks.figures import Figure, Goal, cpu_figure, medians, plain_figure
from benchmarks.frames import command
from benchmarks.sides import Side, joined, metered

TURNS = 4  # for each repeat
SECONDS = 0.3
_QUESTION = command("get_connection_count", {})
_GOAL_AT = 16  # connections


def measure(sides: Sequence[Side], sizes: Iterable[int], repeats: int) -> Iterator[Figure]:
    for connections in sizes:
        samples: dict[str, list[float]] = defaultdict(list)
        with joined(sides, connections, "replies") as crowds:
            for number in range(TURNS * repeats + 1):
                for side, them in crowds:
                    for name, value in _turn(side, them, number):
                        samples[name].append(value)
        yield from _figures(connections, medians(samples))


def _turn(side: Side, them: Crowd, number: int) -> Iterator[tuple[str, float]]:
    with metered(side) as meter:
        had = exchange(them, lambda: _QUESTION, one_message(them), SECONDS)
    if not number:  # the first one warms up
        return
    yield f"{side.name} per", had.per_second
    yield f"{side.name} p50", had.percentile_ms(0.5)
    for group, cpu_us in meter.per(had.answers).items():
        yield f"{group} us", cpu_us


def one_message(them: Crowd) -> Callable[[int, bytes], bool]:
    """Tell whether a message has come; most are the same bytes, and those cost nothing."""
    usual = b""

    def is_answer(fd: int, got: bytes) -> bool:
        nonlocal usual
        if got == usual:
            return True
        messages = list(them.messages(fd, got))
        assert all(b"get_connection_count" in message for message in messages), messages
        if messages:
            usual = got
        return bool(messages)

    return is_answer


def _figures(connections: int, found: dict[str, float]) -> Iterator[Figure]:
    part, case = "request and reply", f"{connections} connections"
    goal = Goal(1.2, of="ratio") if connections == _GOAL_AT else None
    yield cpu_figure(part, case, "CPU us", found, goal)
    yield plain_figure(part, case, "per s", found)
    yield plain_figure(part, case, "p50 ms", found)
