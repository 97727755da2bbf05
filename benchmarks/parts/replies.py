"""Request and reply on a few connections: what a question that waits for nothing costs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median

from benchmarks.crowd import Crowd, crowd, exchange
from benchmarks.figures import Figure, Goal
from benchmarks.frames import command
from benchmarks.sides import Side, metered

SECONDS = 1.0
_QUESTION = command("get_connection_count", {})
_GOAL_AT = 16  # connections


def measure(sides: Sequence[Side], sizes: Iterable[int], repeats: int) -> Iterator[Figure]:
    for connections in sizes:
        samples: dict[str, list[float]] = defaultdict(list)
        for _ in range(repeats):
            for side in sides:
                for name, value in _one(side, connections):
                    samples[name].append(value)
        yield from _figures(connections, {name: median(all_) for name, all_ in samples.items()})


def _one(side: Side, connections: int) -> Iterator[tuple[str, float]]:
    with crowd(side.web_sockets, connections, side.upgrade("replies")) as them:
        side.settle(0)
        exchange(them, lambda: _QUESTION, one_message(them), SECONDS / 5)
        with metered(side) as meter:
            had = exchange(them, lambda: _QUESTION, one_message(them), SECONDS)
    yield f"{side.name} rate", had.per_second
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
    case = f"{connections} connections"
    ours = {name: found[f"{name} us"] for name in ("gateway", "Valkey") if f"{name} us" in found}
    yield Figure(
        "request and reply",
        case,
        "CPU us",
        found.get("ceiling us"),
        sum(ours.values()) if ours else None,
        made_of=" + ".join(f"{name} {spent:.1f}" for name, spent in ours.items()),
        goal=Goal(1.2, of="ratio") if connections == _GOAL_AT else None,
    )
    yield Figure(
        "request and reply", case, "per s", found.get("ceiling rate"), found.get("product rate")
    )
    yield Figure(
        "request and reply", case, "p50 ms", found.get("ceiling p50"), found.get("product p50")
    )
