"""Where a run is, and what opens the door; secrets travel in a header and nowhere else."""

import os
import secrets
import socket
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from syncsvc.client.failures import Refused
from syncsvc.errors import Rejected

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EXAMPLE = "ws://127.0.0.1:9105"


@dataclass(frozen=True, slots=True)
class Credentials:
    """TestSync's user name and password, or a token of the API; or neither."""

    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.token and (self.username or self.password):
            raise Rejected("token: expected a token or a user name and password, found both")

    @property
    def headers(self) -> dict[str, str]:
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.username or self.password:
            pair = b64encode(f"{self.username}:{self.password}".encode())
            return {"Authorization": f"Basic {pair.decode()}"}
        return {}


@dataclass(frozen=True, slots=True)
class Address:
    """A run on a server; who attends says its name at the door, and is present for the others."""

    server: str
    run: str
    credentials: Credentials = Credentials()
    attend: bool = True

    def __post_init__(self) -> None:
        _check_server(self.server)
        if not self.run.strip():
            raise Rejected("run: expected a name, found an empty one")

    def uri(self, worker: str) -> str:
        run = f"{self.server.rstrip('/')}/runs/{quote(self.run, safe='')}"
        return f"{run}?worker={quote(worker, safe='')}" if self.attend else run

    @property
    def is_near(self) -> bool:
        """True on this very machine, where no proxy has a place."""
        return urlsplit(self.server).hostname in LOOPBACK

    def refusal(self, status: int, location: str | None, said: str) -> Refused:
        """Put into words why the server did not let us in."""
        if status in {401, 403}:
            return Refused(
                f"{self.server} answered {status} to these credentials: give username and password "
                "(SYNCSVC_TESTSYNC_USERNAME and SYNCSVC_TESTSYNC_PASSWORD) or token "
                "(SYNCSVC_API_TOKEN) as the server has them"
            )
        if location is not None:
            return Refused(
                f"{self.server} answered {status} and sends us to {location}: credentials are not "
                "sent along; give that server if you trust it"
            )
        why = said if status == 400 else f"expected syncsvc's WebSocket port, such as {EXAMPLE}"
        return Refused(f"{self.server} answered {status}: {why}")


def default_worker() -> str:
    """Name this process: its host, its number, and something that no other has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def _check_server(server: str) -> None:
    try:
        parts = urlsplit(server)
        known = parts.scheme in {"ws", "wss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known, parts = False, urlsplit("")
    if "@" in parts.netloc:
        raise Rejected(
            "server: expected no credentials in the address, found some: "
            "give them as username and password"
        )
    if not known or parts.query or parts.fragment:
        raise Rejected(f"server: expected an address such as {EXAMPLE}, found {server[:200]!r}")
