"""The cluster that load tests run in: a sandbox's, with as many TestRuns as are wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.catalogue_world import World

CLUSTER, NAMESPACE = "main", "k6-runs"
KUBERNETES = "/kubernetes"
LISTS = ("list testruns", "list pods", "list jobs")
GAP = 0.5  # seconds between the first lines of a runner


@dataclass(frozen=True)
class Running:
    """TestRuns of a sandbox; they go on when they are told to."""

    world: World
    steps: int
    runners: int

    def __str__(self) -> str:
        return f"{self.steps:,} steps x {self.runners} runners"

    @property
    def api(self) -> str:
        return f"{self.world.url}/k8s/{CLUSTER}"

    def start(self, lines: int) -> None:
        """Make the TestRuns, and let their runners begin."""
        self.tell("PUT", "/speed", {"factor": 0})
        wish = {
            "name": "bench",
            "count": self.steps,
            "parallelism": self.runners,
            "until": "started",
            "scenario": {"lines": 0},
        }
        self.tell("POST", "/testruns", wish)
        since = datetime.now(UTC) - timedelta(seconds=lines * GAP)
        self.tell("POST", "/emit", {"lines": lines, "at": since.isoformat(), "gap": GAP})

    def emit_some(self) -> None:
        """Let a tenth of the steps write."""
        for number in range(0, self.steps, 10):
            self.tell("POST", "/emit", {"name": f"bench-{number}", "lines": 20})

    def end_all(self) -> None:
        self.tell("POST", "/step", {"until": "finished"})

    def slow_down(self, latency: float) -> None:
        self.world.slow_down(latency)

    def kubeconfig(self, folder: Path) -> Path:
        path = folder / "kubeconfig"
        answer = self.world.http.get(f"{self.world.url}/__sandbox__{KUBERNETES}/kubeconfig")
        path.write_text(answer.text)
        return path

    def counted(self) -> Mapping[str, int]:
        """Give the calls by kind since this was asked last."""
        found: dict[str, int] = self.tell("GET", "/counts?clear=")["calls"]
        return found

    def emitted(self) -> int:
        """Give the bytes that runners have written, with their moments."""
        told = self.tell("GET", "/emitted")["containers"]
        return sum(each["bytes"] for each in told)

    def tell(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.world.url}/__sandbox__{KUBERNETES}{path}"
        answer = self.world.http.request(method, url, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None
