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

import msgspec
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
_SECRETS = frozenset({"token", "authorization", "password", "secret", "private_token", "api_token"})

Logger = structlog.typing.FilteringBoundLogger
Processor = Callable[[Any, str, MutableMapping[str, Any]], Any]


def get_logger(name: str) -> Logger:
    """Give the logger of a module; it may be called before logging is configured."""
    logger: Logger = structlog.get_logger(source=name)
    return logger


def configure(settings: Settings) -> None:
    """Send every log line of this process, ours and the libraries', to stderr in one shape."""
    level = getattr(logging, settings.log_level.upper())
    console = settings.log_format is LogFormat.CONSOLE or (
        settings.log_format is LogFormat.AUTO and sys.stderr.isatty()
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _mask_secrets,
        *([] if console else [structlog.processors.format_exc_info]),
    ]
    structlog.configure(
        processors=[*shared, _renderer(console=console)],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    _configure_libraries(level, shared, console=console)


def announce_ready() -> None:
    """Tell whoever started this process that it serves now, by the file they named."""
    name = os.environ.get(READY_FILE)
    if name:
        Path(name).touch()


def _configure_libraries(level: int, shared: list[Processor], *, console: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(console=console),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _renderer(*, console: bool) -> Processor:
    if console:
        return structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the others show locals: secrets
        )
    return _as_json


def _as_json(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def _mask_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for name in _SECRETS & event.keys():
        event[name] = "***"
    return event
