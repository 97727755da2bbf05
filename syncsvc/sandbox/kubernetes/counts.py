"""Who has called a cluster, how often, and how many calls were under way at once."""

from collections import Counter
from dataclasses import dataclass, field

LOG = "log pods"


@dataclass
class Level:
    in_flight: int = 0
    peak: int = 0

    def enter(self) -> None:
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)

    def leave(self) -> None:
        self.in_flight -= 1


@dataclass
class Counts:
    calls: Counter[str] = field(default_factory=Counter)  # by verb and resource; a list is a page
    statuses: Counter[str] = field(default_factory=Counter)
    sent: int = 0  # bytes of bodies
    all: Level = field(default_factory=Level)
    logs: Level = field(default_factory=Level)

    def begin(self, label: str) -> None:
        self.calls[label] += 1
        self.all.enter()
        if label == LOG:
            self.logs.enter()

    def end(self, label: str, status: int | None, sent: int) -> None:
        self.statuses[str(status or "none")] += 1
        self.sent += sent
        self.all.leave()
        if label == LOG:
            self.logs.leave()

    def clear(self) -> None:
        """Forget the past; what is under way stays counted as such."""
        self.calls.clear()
        self.statuses.clear()
        self.sent = 0
        for level in (self.all, self.logs):
            level.peak = level.in_flight

    def shown(self) -> dict[str, object]:
        return {
            "calls": self.calls,
            "statuses": self.statuses,
            "bytes": self.sent,
            "in_flight": self.all.in_flight,
            "peak": self.all.peak,
            "log_in_flight": self.logs.in_flight,
            "log_peak": self.logs.peak,
        }
