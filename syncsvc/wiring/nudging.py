"""Wakes task workers up for load tests; only this module of their wiring needs Celery."""

from syncsvc.adapters.tasks import CeleryNudge
from syncsvc.settings import Settings


async def nudge_watchers(settings: Settings) -> bool:
    """Ask a task worker to see whether a cycle is due; False: no broker is there."""
    if not _has_broker(settings):
        return False
    await CeleryNudge(settings.broker).poll()
    return True


def _has_broker(settings: Settings) -> bool:
    is_configured = settings.broker_url is not None or not settings.embeds_redis
    return is_configured or settings.valkey_socket.exists()
