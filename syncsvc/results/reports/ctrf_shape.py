"""What is read of a CTRF report's tests; fields that are not named here are passed over."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

Word = Literal["passed", "failed", "skipped", "pending", "other"]


class Attachment(Struct, frozen=True):
    path: str
    name: str = ""


class CtrfStep(Struct, frozen=True):
    name: str
    status: Word | None = None


class Attempt(Struct, frozen=True):
    """One of the tries that came before the last."""

    status: Word | None = None
    attempt: int | None = None
    message: str | None = None
    trace: str | None = None
    attachments: Sequence[Attachment] | None = None


class Test(Struct, frozen=True, rename="camel"):
    """A test of a report, with what is read of it."""

    name: str
    status: Word
    id: str | None = None
    duration: float | None = None
    start: float | None = None
    stop: float | None = None
    suite: str | Sequence[str] | None = None
    message: str | None = None
    trace: str | None = None
    snippet: str | None = None
    ai: str | None = None
    line: int | None = None
    raw_status: str | None = None
    tags: Sequence[str] | None = None
    labels: Mapping[str, Any] | None = None
    type: str | None = None
    file_path: str | None = None
    retries: int | None = None
    retry_attempts: Sequence[Attempt] | None = None
    attempts: Sequence[Attempt] | None = None
    flaky: bool | None = None
    stdout: Sequence[str] | None = None
    stderr: Sequence[str] | None = None
    thread_id: str | None = None
    browser: str | None = None
    device: str | None = None
    screenshot: str | None = None
    attachments: Sequence[Attachment] | None = None
    parameters: Mapping[str, Any] | None = None
    steps: Sequence[CtrfStep] | None = None
    extra: Mapping[str, Any] | None = None


DECODER = msgspec.json.Decoder(Test)
