"""Credentials from a program that a kubeconfig names (client.authentication.k8s.io).

What it prints is a secret; of what it complains about, one line is told without long words in it.
"""

import asyncio
import os
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from syncsvc.adapters.kubernetes.access import Certificate, Presented
from syncsvc.adapters.kubernetes.credentials import EARLY, Fetched, checked_token, now
from syncsvc.errors import Rejected, Unavailable

GROUP = "client.authentication.k8s.io"
VERSIONS = (f"{GROUP}/v1", f"{GROUP}/v1beta1")
LONGEST_COMPLAINT = 200
TO_DIE = timedelta(seconds=5)
_SECRET = re.compile(r"[\w+/=.~-]{32,}")  # no word of a language


class _Status(msgspec.Struct, rename="camel"):
    token: str | None = None
    expiration_timestamp: datetime | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None


class _ExecCredential(msgspec.Struct, rename="camel"):
    api_version: str
    status: _Status
    kind: str = ""


_CREDENTIAL = msgspec.json.Decoder(_ExecCredential)


@dataclass(frozen=True)
class Plugin:
    """A program that prints credentials; `place` says where it is configured."""

    place: str
    command: str
    arguments: tuple[str, ...] = field(default=(), repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)  # all of it
    version: str = VERSIONS[0]
    cluster: Mapping[str, object] | None = field(default=None, repr=False)
    certificate: Certificate | None = field(default=None, repr=False)  # unless it prints one
    hint: str = ""  # how to install it
    limit: timedelta = timedelta(seconds=30)
    clock: Callable[[], datetime] = now

    async def fetch(self) -> Fetched:
        printed = await self._run()
        try:
            credential = _CREDENTIAL.decode(printed)
        except (msgspec.MsgspecError, ValueError, RecursionError):  # may show what it printed
            raise self._odd("something else") from None
        if (credential.kind, credential.api_version) != ("ExecCredential", self.version):
            raise self._odd(f"{credential.kind[:40]!r} of {credential.api_version[:60]!r}")
        return Fetched(self._presented(credential.status), _until(credential.status))

    async def _run(self) -> bytes:
        process = await self._start()
        try:
            async with asyncio.timeout(self.limit.total_seconds()):
                printed, complaint = await process.communicate()
        except TimeoutError:
            raise Unavailable(
                f"{self.place}: {self.command} did not end within {self.limit.total_seconds():g} s"
            ) from None
        finally:
            await _end(process)
        if process.returncode:
            raise Unavailable(
                f"{self.place}: {self.command} ended with {process.returncode}{_told(complaint)}"
            )
        return printed

    async def _start(self) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                self.command,
                *self.arguments,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                env={**self.environ, "KUBERNETES_EXEC_INFO": self._exec_info()},
                start_new_session=True,  # so that it is ended with all that it started
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it cannot be started"
            hint = f"; {self.hint.strip()}" if self.hint.strip() else ""
            raise Rejected(
                f"{self.place}: expected a program, found {self.command}: {why}{hint}"
            ) from None

    def _exec_info(self) -> str:
        spec: dict[str, object] = {"interactive": False}
        if self.cluster is not None:
            spec["cluster"] = self.cluster
        told = {"apiVersion": self.version, "kind": "ExecCredential", "spec": spec}
        return msgspec.json.encode(told).decode()

    def _presented(self, status: _Status) -> Presented:
        chain, key = status.client_certificate_data, status.client_key_data
        if not status.token and not (chain and key):
            raise self._odd("neither a token nor a certificate with its key")
        token = checked_token(status.token, self.place) if status.token else None
        worn = Certificate(chain.encode(), key.encode()) if chain and key else self.certificate
        return Presented(token, worn)

    def _odd(self, found: str) -> Rejected:
        return Rejected(
            f"{self.place}: expected {self.command} to print an ExecCredential of {self.version}, "
            f"found {found}"
        )


def _until(status: _Status) -> datetime | None:
    ends = status.expiration_timestamp
    if ends is None:
        return None
    return (ends if ends.tzinfo else ends.replace(tzinfo=UTC)) - EARLY


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(TO_DIE.total_seconds()):
            await process.wait()


def _told(complaint: bytes) -> str:
    lines = complaint.decode("utf-8", "replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    shown = "".join(sign for sign in _SECRET.sub("***", last) if sign.isprintable())
    return f": {shown.strip()[:LONGEST_COMPLAINT]}" if shown.strip() else ""
