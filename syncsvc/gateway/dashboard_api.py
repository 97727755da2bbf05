"""The dashboard's part of the API: the sync job of load tests, and a cycle at once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from syncsvc.errors import SyncsvcError
from syncsvc.gateway.dashboard_steps import Steps, is_active, is_stale
from syncsvc.gateway.dashboard_views import (
    CycleReply,
    CycleSummary,
    JobAction,
    StepsReply,
    SyncJobChanged,
    SyncJobReply,
    SyncJobView,
    action_in,
    interval_in,
    job_view,
    timestamp,
)
from syncsvc.gateway.guard import who_asks
from syncsvc.gateway.k6_api import WatchNudge
from syncsvc.gateway.reading import json_reply, read_json
from syncsvc.gateway.refusals import status_of
from syncsvc.gateway.scopes import SYNC_JOB, SYNC_NOW
from syncsvc.loadtests.jobs import Answer, JobState, SyncJobs
from syncsvc.loadtests.polling import Polling

LARGEST_BODY = 64 * 1024
PATIENCE = timedelta(seconds=30)  # for the cycle that runs already


@dataclass(frozen=True)
class Dashboard:
    """What the dashboard is answered from; `has_key`: there is a key for a cycle at once."""

    jobs: SyncJobs
    polling: Polling
    steps: Steps
    has_key: bool
    patience: timedelta = PATIENCE


@dataclass(frozen=True)
class DashboardApi:
    """Answers the dashboard, in its own shapes."""

    dashboard: Dashboard
    nudge: WatchNudge
    clock: Callable[[], datetime]

    def routes(self) -> list[BaseRoute]:
        return [
            Route(SYNC_JOB, self.show, methods=["GET"]),
            Route(SYNC_JOB, self.change, methods=["POST"]),
            Route(SYNC_NOW, self.count, methods=["GET"]),
            Route(SYNC_NOW, self.sync_now, methods=["POST"]),
        ]

    async def show(self, _request: Request) -> Response:
        job = self._job(await self.dashboard.jobs.state())
        return json_reply(SyncJobReply(success=True, job=job, timestamp=self._now()))

    async def change(self, request: Request) -> Response:
        body = await read_json(request, dict[str, Any], LARGEST_BODY)
        action, interval = action_in(body), interval_in(body)
        answer = await self._carried_out(action, interval, who_asks(request).name)
        reply = json_reply(
            SyncJobChanged(
                success=True,
                action=action,
                result=answer.told,
                job=self._job(answer.state),
                timestamp=self._now(),
            )
        )
        if action is not JobAction.STOP:
            reply.background = BackgroundTask(self.nudge.poll)
        return reply

    async def count(self, _request: Request) -> Response:
        now = self.clock()
        active = [step for step in await self.dashboard.steps.under_way() if is_active(step)]
        stale = [step for step in active if is_stale(step, now)]
        checks = [step.checked_at for step in active if step.checked_at is not None]
        return json_reply(
            StepsReply(
                active_steps=len(active),
                stale_steps=len(stale),
                oldest_check=timestamp(min(checks)) if checks else None,
                next_sync_recommended=bool(stale),
                api_key_configured=self.dashboard.has_key,
                timestamp=timestamp(now),
            )
        )

    async def sync_now(self, _request: Request) -> Response:
        try:
            return json_reply(await self._synced())
        except SyncsvcError as error:
            told = {"success": False, "error": str(error), "timestamp": self._now()}
            return JSONResponse(told, status_of(error))

    async def _synced(self) -> CycleReply:
        steps, since = self.dashboard.steps, self.clock()
        before = await steps.under_way()
        report = await self.dashboard.polling.poll_now(self.dashboard.patience)
        return CycleReply(
            success=True,
            duration=f"{round(report.duration / timedelta(milliseconds=1))}ms",
            summary=CycleSummary.of(report),
            details=await steps.details(before, report, since),
            timestamp=self._now(),
        )

    def _carried_out(
        self, action: JobAction, interval: timedelta | None, by: str
    ) -> Awaitable[Answer]:
        jobs = self.dashboard.jobs
        if action is JobAction.STOP:
            return jobs.stop(by)
        if action is JobAction.START:
            return jobs.start(interval, by)
        return jobs.restart(interval, by)

    def _job(self, state: JobState) -> SyncJobView:
        holder, has_key = self.dashboard.polling.holder, self.dashboard.has_key
        return job_view(state, holder, has_key=has_key)

    def _now(self) -> str:
        return timestamp(self.clock())
