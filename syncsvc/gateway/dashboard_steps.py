"""What the dashboard is told of single steps: how a cycle changed each, and which wait for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncsvc.gateway.dashboard_views import StepDetail
from syncsvc.loadtests.model import Step
from syncsvc.loadtests.ports import CycleReport, LoadTests, Logs, StepError

STALE_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class Steps:
    """Reads the steps that a cycle is about."""

    tests: LoadTests
    logs: Logs

    async def under_way(self) -> Sequence[Step]:
        """Give the steps that are not over, or whose logs are not all there."""
        found: list[Step] = []
        for place in await self.tests.places():
            found += await self.tests.under_way(place.cluster, place.namespace)
        return found

    async def details(
        self, before: Sequence[Step], report: CycleReport, since: datetime
    ) -> Sequence[StepDetail]:
        """Tell what a cycle did, from the steps before it and what is kept of them now."""
        old = {step.id: step for step in before}
        errors = {error.step_id: error for error in report.step_errors if error.step_id}
        now = await self.tests.steps_of({step.test_id for step in before})
        logged = await self._logged({*old}, since)
        details = [_detail(old, step, errors, logged) for step in now if step.id in old]
        return [
            *details,
            *(_unplaced(each) for each in report.step_errors if each.step_id not in old),
        ]

    async def _logged(self, step_ids: set[str], since: datetime) -> set[str]:
        logs = await self.logs.logs(step_ids)
        return {
            log.source.step_id
            for log in logs
            if log.updated_at is not None and log.updated_at >= since
        }


def is_active(step: Step) -> bool:
    return not step.is_over


def is_stale(step: Step, now: datetime) -> bool:
    return now - (step.checked_at or step.registered_at) > STALE_AFTER


def _detail(
    old: Mapping[str, Step], step: Step, errors: Mapping[str, StepError], logged: set[str]
) -> StepDetail:
    error = errors.get(step.id)
    return StepDetail(
        step_id=step.id,
        step_name=step.name,
        k6_test_name=step.test_run,
        old_status=old[step.id].status,
        new_status=step.status,
        updated=step.checked_at != old[step.id].checked_at,
        logs_updated=step.id in logged,
        error=None if error is None else error.error,
    )


def _unplaced(error: StepError) -> StepDetail:
    """Tell of a step that is new, or of a place."""
    return StepDetail(
        step_id=error.step_id,
        step_name=error.name,
        k6_test_name=None,
        old_status=None,
        new_status=None,
        updated=False,
        logs_updated=False,
        error=error.error,
    )
