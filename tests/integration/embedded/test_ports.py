"""Ports that are not free are told in a line that helps."""

import os
import socket

import pytest

from syncsvc.embedded import ports
from syncsvc.embedded.ports import PortUse
from syncsvc.errors import Rejected
from tests.support.ports import own_port


@pytest.fixture
def use():
    return PortUse(own_port(), "Sync Storage", "sync-storage-port")


def test_a_free_port_is_fine(use):
    ports.check([use])


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0"])
def test_a_port_in_use_is_told_with_its_holder_and_the_option(use, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.create_server((address, use.port), family=family),
        pytest.raises(Rejected) as refused,
    ):
        ports.check([use])

    line = str(refused.value)
    assert line.startswith(f"port {use.port} (Sync Storage) is in use by pid {os.getpid()} (")
    assert line.endswith(
        "): stop it, or choose another with --sync-storage-port / SYNCSVC_SYNC_STORAGE_PORT"
    )


def test_a_port_that_a_connection_has_is_told_too(use):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), source_address=("127.0.0.1", use.port)),
        pytest.raises(Rejected, match=f"in use by pid {os.getpid()} "),
    ):
        ports.check([use])


def test_each_port_in_use_has_a_line():
    uses = [PortUse(own_port(), what, "api-port") for what in ("API", "Sync Storage")]
    with (
        socket.create_server(("127.0.0.1", uses[0].port)),
        socket.create_server(("127.0.0.1", uses[1].port)),
        pytest.raises(Rejected) as refused,
    ):
        ports.check(uses)

    assert len(str(refused.value).splitlines()) == 2


def test_two_purposes_cannot_share_a_port(use):
    api = PortUse(use.port, "API", "api-port")

    with pytest.raises(Rejected, match=r"\(API\) is the port of Sync Storage too: choose another"):
        ports.check([use, api])


def test_an_address_of_another_machine_is_told():
    elsewhere = PortUse(own_port(), "API", "api-port", host="192.0.2.1")

    with pytest.raises(Rejected, match=r"at 192\.0\.2\.1, which is no address of this machine"):
        ports.check([elsewhere])


def test_a_host_name_that_nobody_knows_is_told():
    unknown = PortUse(1, "API", "api-port", host="no-such-host.invalid")

    with pytest.raises(Rejected, match=r"no-such-host\.invalid of API is unknown"):
        ports.check([unknown])


def test_a_port_that_is_offered_twice_is_taken_once():
    offered = iter([4001, 4001, 4002, 4001, 4003])

    assert ports.free_ports(["", "", ""], lambda _: next(offered)) == [4001, 4002, 4003]
