"""The way into a cluster: its address, whom to trust there, and what we show of ourselves."""

from dataclasses import dataclass, field
from typing import Protocol

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client's certificate and its key, as PEM."""

    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request shows; nothing of it is anonymous."""

    token: str | None = field(default=None, repr=False)
    certificate: Certificate | None = field(default=None, repr=False)


class Credentials(Protocol):
    async def present(self, refused: Presented | None = None) -> Presented:
        """Give what to show, and something newer than `refused` where there can be.

        Raises Unavailable when it cannot be had now, Rejected when never.
        """
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """A way into one cluster; `ca` is PEM, and without it the system's authorities count.

    `server_name` is what its certificate must say, where that is not the host of `server`.
    """

    name: str
    server: str
    credentials: Credentials = field(repr=False)
    ca: str | None = field(default=None, repr=False)
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = field(default=None, repr=False)  # may hold a password
    namespace: str = DEFAULT_NAMESPACE
