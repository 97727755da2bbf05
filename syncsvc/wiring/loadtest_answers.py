"""Connects what the API answers about load tests to the watch that knows it."""

from syncsvc.gateway.dashboard_api import Dashboard, DashboardApi
from syncsvc.gateway.dashboard_steps import Steps
from syncsvc.gateway.k6_api import K6Api
from syncsvc.gateway.k6_lines import Lines
from syncsvc.settings import Settings
from syncsvc.wiring.moments import now
from syncsvc.wiring.services import Services


def load_tests(settings: Settings, services: Services) -> K6Api:
    watch = services.watch
    lines = Lines(watch.showing, watch.following, now, settings.longest_wait)
    return K6Api(watch.registering, watch.showing, lines, services.nudge, now)


def dashboard(settings: Settings, services: Services) -> DashboardApi:
    watch = services.watch
    behind = Dashboard(
        watch.jobs,
        watch.polling,
        Steps(watch.tests, watch.showing.logs),
        has_key=bool(settings.k6_sync_api_key),
    )
    return DashboardApi(behind, services.nudge, now)
