"""The Celery application: `celery -A workers.app worker|beat|flower` and `syncsvc worker|beat`.

A message carries ids, never a payload, and every task may run twice: rows in SQL say what is
to do, a message only says "look now". So a lost message costs one tick of beat, and a task
that was interrupted is simply run again.
"""

from importlib import import_module
from typing import Any

from celery import Celery, signals
from celery.schedules import schedule

import beat_schedule
from syncsvc import telemetry
from syncsvc.adapters.tasks import QUEUES, queues
from syncsvc.settings import Settings, load
from syncsvc.stores.redis.keys import BEAT_LOCK
from workers.loop import SERVICES, process


def celery_config(settings: Settings) -> dict[str, Any]:
    """Give Celery's settings, each with its reason."""
    return {
        "broker_url": settings.broker,
        "broker_connection_retry_on_startup": True,  # processes may start in any order
        "broker_connection_max_retries": None,  # a broker that is away comes back
        "broker_transport_options": _transport(settings.broker),
        "task_acks_late": True,  # an early ack loses the task when its process is killed
        "task_reject_on_worker_lost": True,  # or the parent acks what a killed child had
        "task_acks_on_failure_or_timeout": True,  # rows are tried again, messages are not
        "task_ignore_result": True,  # what happened is in SQL
        "task_serializer": "json",
        "accept_content": ["json"],  # never pickle
        "task_create_missing_queues": False,  # a misspelt queue must fail, not swallow
        "task_default_queue": "results",
        "task_queues": queues(settings.broker),
        "worker_pool": "threads",  # tasks wait for the network; one loop, one connection pool
        "worker_concurrency": 4,
        "worker_prefetch_multiplier": 1,  # fewer tasks stuck when a process is killed
        "worker_send_task_events": True,  # for Flower
        "task_send_sent_event": True,
        "event_queue_expires": 60.0,
        "worker_hijack_root_logger": False,  # our log lines have one shape
        "worker_redirect_stdouts": False,
        "worker_soft_shutdown_timeout": 5.0,  # finish what runs before a second signal counts
        "enable_utc": True,
        "timezone": "UTC",
        "beat_scheduler": "redbeat.RedBeatScheduler",  # a second beat stands by
        "beat_max_loop_interval": 1.0,
        "redbeat_redis_url": settings.redis,
        "redbeat_redis_options": {"socket_connect_timeout": 5.0, "socket_timeout": 30.0},
        "redbeat_key_prefix": "syncsvc:beat",
        "redbeat_lock_key": BEAT_LOCK.name,
        "redbeat_lock_timeout": BEAT_LOCK.life.total_seconds(),  # then a second beat takes over
        "beat_schedule": _timetable(),
    }


def _transport(broker: str) -> dict[str, Any]:
    if broker.startswith("amqp"):
        return {"confirm_publish": True}
    return {
        "visibility_timeout": 300.0,  # longer than any task; bounds recovery after kill -9
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,  # else the sweep is every 100 s
        "health_check_interval": 10,  # finds half-open connections
        "socket_keepalive": not broker.startswith("redis+socket"),
        "socket_connect_timeout": 5.0,
        "socket_timeout": 30.0,  # publishing cannot hang for ever
        "priority_steps": [0],  # one Redis list a queue, not four
    }


def _timetable() -> dict[str, Any]:
    return {
        phrase: {
            "task": entry["task"],
            "schedule": schedule(entry["every"]),
            "options": {"queue": entry["queue"], "expires": max(entry["every"], 2.0)},
        }
        for phrase, entry in beat_schedule.TIMETABLE.items()
    }


settings = load()
app = Celery("syncsvc", include=[f"workers.{queue}" for queue in QUEUES])
app.conf.update(celery_config(settings))


@signals.setup_logging.connect
def _configure_logging(**_: object) -> None:
    telemetry.configure(settings)


@signals.worker_init.connect
def _load_services(**_: object) -> None:
    """Load what tasks need before it is said to be ready; beat and Flower do without."""
    import_module(SERVICES)


@signals.worker_ready.connect
@signals.beat_init.connect
def _tell_ready(**_: object) -> None:
    telemetry.announce_ready()


@signals.worker_shutdown.connect
@signals.worker_process_shutdown.connect
def _close_services(**_: object) -> None:
    process.stop()
