"""How a process tells what it does: log lines with bound context, and one sign of readiness.

Context (`run`, `worker`, `entry`, `request`) is bound once at the edge of a unit of work.
Tokens and payloads never reach a log line.
"""

import logging
import os
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import structlog

from syncsvc.settings import LogFormat, Settings

READY_FILE = "SYNCSVC_READY_FILE"
_QUIET = (  # say per request, tick or message what our own lines already say
    "alembic.runtime",
    "asyncio",
    "celery.app.trace",
    "celery.beat",
    "celery.worker.strategy",
    "httpcore",
    "httpx",
    "tornado.access",
)
_SECRETS = ("token", "authorization", "password", "secret")

Logger = structlog.stdlib.BoundLogger


def get_logger(name: str) -> Logger:
    """Give the logger of a module; it may be called before logging is configured."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger


def configure(settings: Settings) -> None:
    """Send every log line of this process, ours and the libraries', to stderr in one shape."""
    console = settings.log_format is LogFormat.CONSOLE or (
        settings.log_format is LogFormat.AUTO and sys.stderr.isatty()
    )
    shared: list[Callable[..., Any]] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _mask_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(shared, console=console))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def announce_ready() -> None:
    """Tell whoever started this process that it serves now, by the file they named."""
    name = os.environ.get(READY_FILE)
    if name:
        Path(name).touch()


def _formatter(
    shared: list[Callable[..., Any]], *, console: bool
) -> structlog.stdlib.ProcessorFormatter:
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if console
        else structlog.processors.JSONRenderer()
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )


def _mask_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for name in event:
        if any(word in name.lower() for word in _SECRETS):
            event[name] = "***"
    return event
