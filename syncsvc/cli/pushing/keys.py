"""A pushed result's key says what it is, so that pushing a report again sends nothing twice."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field

import msgspec

from syncsvc.results.pushed.model import Result


@dataclass
class Keys:
    """Gives keys for the results of one push; of equal results each has its number."""

    configuration_id: str | None = None
    _seen: set[int] = field(default_factory=set)  # small: a report may have a million results
    _repeated: Counter[int] = field(default_factory=Counter)

    def of(self, result: Result) -> str:
        """Give the key of the next result; the same report gives the same keys in any order."""
        digest = hashlib.sha256(msgspec.json.encode(self._told(result))).digest()
        short = int.from_bytes(digest[:8])
        if short in self._seen:
            self._repeated[short] += 1
        self._seen.add(short)
        return f"{digest.hex()}-{self._repeated.get(short, 0)}"

    def _told(self, result: Result) -> list[object]:
        return [
            result.external_id,
            result.status,
            result.message,
            result.duration_ms,
            result.started_at,
            result.configuration_id or self.configuration_id,
            sorted(result.parameters.items()),
        ]
