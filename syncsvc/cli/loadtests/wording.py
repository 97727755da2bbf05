"""How moments, spans and numbers of load tests are written for a person."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from syncsvc.cli.plain import moment
from syncsvc.loadtests.model import LoadTest, Runner, RunnerState, Stale, Step
from syncsvc.loadtests.summary_rows import BYTES, BYTES_PER_SECOND, MS, PER_SECOND, RATE

MOST_SHOWN = 20  # lines of one kind
NOTHING = "-"


def span(length: timedelta | None) -> str:
    """Write how long something takes, to two places: 9.5 s, 12 min 5 s, 2 h 3 min."""
    if length is None:
        return NOTHING
    seconds = length.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def took(of: LoadTest | Step, now: datetime) -> str:
    """Write how long it took, or has taken so far."""
    if of.started_at is None:
        return NOTHING
    return span(max((of.completed_at or now) - of.started_at, timedelta(0)))


def stale(found: Stale) -> str:
    """Say that a step could not be looked at, since when, and why."""
    tries = "once" if found.errors == 1 else f"{found.errors} times"
    return (
        f"stale since {moment(found.since)} UTC (tried {tries}): what is shown is older; "
        f"last error: {found.last_error}"
    )


def runners(step: Step) -> str:
    """Say in short what its runners are at: `2 x running`, `3 x exit 0, 1 x exit 99`."""
    words = [_runner(step.runners[index]) for index in sorted(step.runners)]
    counts = {word: words.count(word) for word in words}
    missing = (step.expected or 0) - len(words)
    if missing > 0:
        counts["not seen"] = missing
    return ", ".join(f"{count} x {word}" for word, count in counts.items())


def number(value: float | None, unit: str) -> str:
    """Write a number of a summary with its unit."""
    if value is None:
        return NOTHING
    if unit == MS:
        return _milliseconds(value)
    if unit == RATE:
        return f"{value * 100:.2f}%"
    if unit in (BYTES, BYTES_PER_SECOND):
        return _bytes(value) + ("/s" if unit == BYTES_PER_SECOND else "")
    per = "/s" if unit == PER_SECOND else ""
    return (f"{value:.0f}" if value == int(value) else f"{value:.4g}") + per


def change(value: float | None, unit: str) -> str:
    """Write how much a number has changed."""
    if value is None:
        return NOTHING
    return f"{value * 100:+.2f}" + (" points" if unit == RATE else "%")


def few(lines: Sequence[str]) -> Sequence[str]:
    more = len(lines) - MOST_SHOWN
    return [*lines[:MOST_SHOWN], *([f"and {more} more; --json has all"] if more > 0 else [])]


def many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def size(count: int) -> str:
    return _bytes(count)


def _runner(runner: Runner) -> str:
    if runner.state is not RunnerState.ENDED:
        return str(runner.state)
    return f"exit {runner.exit_code}" if runner.exit_code is not None else "ended"


def _milliseconds(value: float) -> str:
    for factor, unit in ((3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if abs(value) >= factor:
            return f"{value / factor:.2f} {unit}"
    return f"{value:.2f} ms" if abs(value) >= 1 or not value else f"{value * 1000:.1f} µs"


def _bytes(value: float) -> str:
    for factor, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= factor:
            return f"{value / factor:.1f} {unit}"
    return f"{value:.0f} B"
