"""What is odd about a report without making it unreadable is said in the log, not too often."""

from dataclasses import dataclass, field
from pathlib import Path

from syncsvc.telemetry import get_logger

log = get_logger(__name__)

MOST = 20  # of one report; a report with more has one cause for all


@dataclass(slots=True)
class Remarks:
    """The warnings about one report."""

    report: Path
    _said: int = field(default=0)

    def say(self, event: str, line: int | None = None, **fields: object) -> None:
        self._said += 1
        if self._said <= MOST:
            log.warning(event, report=str(self.report), line=line, **fields)

    def end(self) -> None:
        """Say how many were left out."""
        if self._said > MOST:
            log.warning(
                "more warnings about this report were left out",
                report=str(self.report),
                count=self._said - MOST,
            )
