"""The ports that `up` is about to open: chosen where they are free to choose, then checked."""

import errno
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

from syncsvc.embedded.holder import holder_of
from syncsvc.errors import Rejected
from syncsvc.settings import LOOPBACK, is_loopback


@dataclass(frozen=True)
class PortUse:
    """A port, what it is for, and how a person changes it."""

    port: int
    purpose: str
    option: str
    host: str = ""

    @property
    def advice(self) -> str:
        variable = "SYNCSVC_" + self.option.upper().replace("-", "_")
        return f"choose another with --{self.option} / {variable}"

    @property
    def url(self) -> str:
        """An address under which this machine reaches the port."""
        host = {"": LOOPBACK[0], "0.0.0.0": LOOPBACK[0], "::": LOOPBACK[1]}.get(  # noqa: S104 - read, not bound
            self.host, self.host
        )
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def free_port(host: str = "") -> int:
    """Give a port that nobody uses at this moment, on IPv4 and IPv6 alike."""
    while True:
        with closing(socket.socket()) as probe:
            probe.bind((LOOPBACK[0], 0))
            port: int = probe.getsockname()[1]
        if _why_not(PortUse(port, "", "", host)) is None:
            return port


def free_ports(hosts: Iterable[str], pick: Callable[[str], int] = free_port) -> list[int]:
    """Give a port for each host, no two of them the same: a free one may be offered twice."""
    chosen: list[int] = []
    for host in hosts:
        port = pick(host)
        while port in chosen:
            port = pick(host)
        chosen.append(port)
    return chosen


def check(uses: Iterable[PortUse]) -> None:
    """Make sure that each port can be opened.

    Raises Rejected with a line for each that cannot: who holds it and how to choose another.
    """
    lines = list(_problems(list(uses)))
    if lines:
        raise Rejected("\n".join(lines))


def _problems(uses: list[PortUse]) -> Iterator[str]:
    seen: dict[int, PortUse] = {}
    for use in uses:
        name = f"port {use.port} ({use.purpose})"
        first = seen.setdefault(use.port, use)
        if first is not use:
            yield f"{name} is the port of {first.purpose} too: {use.advice}"
        elif (reason := _why_not(use)) is not None:
            yield f"{name} {reason}{use.advice}"


def _why_not(use: PortUse) -> str | None:
    for family, address in _addresses(use):
        try:
            _try_to_bind(family, address)
        except OSError as error:
            return _explain(error, use)
    return None


def _try_to_bind(family: int, address: tuple[object, ...]) -> None:
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind(address)


def _addresses(use: PortUse) -> Iterator[tuple[int, tuple[object, ...]]]:
    hosts = LOOPBACK if is_loopback(use.host) else (use.host,)
    for host in hosts:
        if host == "::1" and not _has_ipv6():
            continue
        try:
            found = socket.getaddrinfo(host, use.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise Rejected(f"the address {host} of {use.purpose} is unknown") from error
        yield from ((family, address) for family, _, _, _, address in found)


def _has_ipv6() -> bool:
    with suppress(OSError), closing(socket.socket(socket.AF_INET6)) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def _explain(error: OSError, use: PortUse) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            holder = holder_of(use.port)
            return f"is in use by {holder}: stop it, or " if holder else "is in use: "
        case errno.EACCES:
            return f"may not be opened by user {os.geteuid()}: "
        case errno.EADDRNOTAVAIL:
            return f"cannot be opened at {use.host}, which is no address of this machine: "
    return f"cannot be opened ({error.strerror}): "
