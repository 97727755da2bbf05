"""One Test IT: a library, its runs and the switches that its vendor's texts leave open."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from syncsvc.sandbox.testit.library import Library
from syncsvc.sandbox.testit.runs import Runs


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class TestIt:
    __test__ = False  # its name makes pytest curious

    clock: Callable[[], datetime] = _now
    new_id: Callable[[], UUID] = uuid4
    adapters_surface: bool = True  # older installations have no /adapters
    library: Library = field(init=False)
    runs: Runs = field(init=False)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything, switches included."""
        self.adapters_surface = True
        self.library = Library(self.clock, self.new_id)
        self.runs = Runs(self.library, self.clock, self.new_id)
