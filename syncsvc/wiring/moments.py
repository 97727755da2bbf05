"""The real clock, and ids that sort by it."""

import secrets
import time
from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """Give an id that sorts by its moment: rows are appended to their index, not scattered."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
