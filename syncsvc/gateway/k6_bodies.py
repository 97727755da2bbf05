"""What the API takes to watch load tests: what is wrong is refused with its path."""

from collections.abc import Sequence

import msgspec

from syncsvc.loadtests.registering import WishedStep


class StepBody(msgspec.Struct, forbid_unknown_fields=True):
    """A TestRun to watch; its namespace and cluster are the first that are configured.

    Without a name the step has that of the TestRun.
    """

    test_run: str
    name: str | None = None
    namespace: str | None = None
    cluster: str | None = None

    def to_model(self) -> WishedStep:
        return WishedStep(self.test_run, self.name, self.namespace, self.cluster)


class LoadTestBody(msgspec.Struct, forbid_unknown_fields=True):
    """A load test of 1 to 500 steps in their order; the TestRuns need not be there yet."""

    name: str
    steps: list[StepBody]
    labels: dict[str, str] = msgspec.field(default_factory=dict)

    def wished(self) -> Sequence[WishedStep]:
        return [step.to_model() for step in self.steps]


class DiscoverBody(msgspec.Struct, forbid_unknown_fields=True):
    """TestRuns to find by a label selector, such as `app=k6,team!=demo`; `*` takes all."""

    selector: str
    cluster: str | None = None
    namespace: str | None = None
