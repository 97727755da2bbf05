"""Measures coordination beside its ceiling, bare picows and a bare ASGI app, in the same run.

    python -m benchmarks.coordination                  everything, in about four minutes
    python -m benchmarks.coordination checkpoint --agents 1000

Parts: checkpoint, replies, connections, data, topics, scaling. Figures are medians of
repeats in which ceiling and product take turns. CPU is that of all threads, by the
scheduler's account; wall time shares the cores with the load. Nothing is pinned but in lanes.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import machine, servers
from benchmarks.figures import Figure, as_json, header, line
from benchmarks.parts import checkpoint, connections, documents, lanes, replies, scaling, topics
from benchmarks.servers import State
from benchmarks.sides import Side, bare, product


@dataclass(frozen=True)
class Arena:
    """Where a part is measured: fresh processes each time, on one state."""

    state: State
    chosen: argparse.Namespace

    @contextmanager
    def sides(self, many: int = 1) -> Iterator[list[Side]]:
        """Run so many servers of either kind."""
        with ExitStack() as running:
            bares = [running.enter_context(servers.ceiling(self.state.folder)) for _ in range(many)]
            sides = [bare(bares)]
            if not self.chosen.ceiling_only:
                names = [f"gateway-{number}" for number in range(many)]
                ours = [running.enter_context(servers.gateway(self.state, name)) for name in names]
                sides.append(product(ours, self.state.pid))
            yield sides


def _checkpoint(arena: Arena) -> Iterator[Figure]:
    with arena.sides() as sides:
        yield from checkpoint.measure(sides, arena.chosen.agents, arena.chosen.repeats)


def _replies(arena: Arena) -> Iterator[Figure]:
    with arena.sides() as sides:
        yield from replies.measure(sides, arena.chosen.connections, arena.chosen.repeats)


def _connections(arena: Arena) -> Iterator[Figure]:
    with arena.sides() as sides:
        yield from connections.measure(sides, arena.chosen.idle, arena.chosen.repeats)


def _data(arena: Arena) -> Iterator[Figure]:
    with arena.sides() as sides:
        yield from documents.measure(sides, arena.chosen.clients, arena.chosen.repeats)


def _topics(arena: Arena) -> Iterator[Figure]:
    with arena.sides(2) as (beside, *ours):
        alone = replace(beside, web_sockets=beside.web_sockets[:1])  # it tells its own process
        yield from topics.measure([alone, *ours], arena.chosen.readers, arena.chosen.repeats)


def _scaling(arena: Arena) -> Iterator[Figure]:
    with arena.sides(2) as sides:
        beside, *ours = sides
        alone = replace(beside, web_sockets=beside.web_sockets[:1])
        yield from checkpoint.measure_spread([alone, *ours], 1000, arena.chosen.repeats)
        yield from scaling.measure(sides, arena.chosen.repeats)
        yield from lanes.measure(sides, arena.chosen.repeats)


PARTS: dict[str, Callable[[Arena], Iterator[Figure]]] = {
    "checkpoint": _checkpoint,
    "replies": _replies,
    "connections": _connections,
    "data": _data,
    "topics": _topics,
    "scaling": _scaling,
}


def main(arguments: Sequence[str]) -> int:
    chosen = _options().parse_args(arguments)
    machine.raise_file_limit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that servers are stopped
    with (
        tempfile.TemporaryDirectory(prefix="syncsvc-bench-") as name,
        servers.state(Path(name)) as state,
    ):
        return _report(Arena(state, chosen))


def _report(arena: Arena) -> int:
    chosen = arena.chosen
    show = _quiet if chosen.json else _show
    conditions = machine.conditions(arena.state.version)
    show("\n".join(f"{name}: {value}" for name, value in conditions.items()))
    show("\n" + header())
    others = machine.Others([arena.state.pid])
    figures = []
    for part in chosen.parts or PARTS:
        for figure in PARTS[part](arena):
            figures.append(figure)
            show(line(figure))
    conditions["busy with others"] = f"{others.cores():.2f} cores meanwhile"
    show(f"\nbusy with others: {conditions['busy with others']}")
    if chosen.json:
        print(json.dumps({"conditions": conditions, "figures": [as_json(f) for f in figures]}))
    return 0


def _show(text: str) -> None:
    print(text, flush=True)


def _quiet(_text: str) -> None:
    """Say nothing: the JSON comes at the end."""


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    for option, default, what in (
        ("--agents", "100,1000,5000", "that meet at a checkpoint"),
        ("--connections", "1,16,64", "that ask and are answered"),
        ("--clients", "16,64", "that post and get data over HTTP"),
        ("--readers", "1,50", "of a topic"),
    ):
        parser.add_argument(option, type=_numbers, default=_numbers(default), help=what)
    parser.add_argument("--idle", type=int, default=10_000, help="connections that are held")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ceiling-only", action="store_true", help="measure no gateway")
    parser.add_argument("--json", action="store_true", help="print JSON when all is done")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
