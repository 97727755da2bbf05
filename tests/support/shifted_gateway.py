"""The WebSocket port of a gateway whose leases go by a clock that is wrong by so many seconds.

Redis' clock decides about leases, for every gateway; this one's has been set wrong, and the other
gateways have no way to know it.
"""

import asyncio
import socket
import sys
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import uvloop

from syncsvc.adapters.testsync.credentials import Credentials
from syncsvc.adapters.testsync.ports import Rooms
from syncsvc.adapters.testsync.server import TestSyncSockets
from syncsvc.coordination.leases.redis import RedisLeases
from syncsvc.coordination.leases.service import LeaseService
from syncsvc.coordination.operations.leases import lease_operations
from syncsvc.coordination.operations.operation import Operations
from syncsvc.coordination.testdata.sql import SqlTestData
from syncsvc.settings import Settings
from syncsvc.stores.redis.scripts import Scripts, connect
from syncsvc.stores.sql.database import open_database
from syncsvc.telemetry import announce_ready
from syncsvc.wiring.coordination import Coordination


async def serve(settings: Settings, shift: timedelta) -> None:
    """Serve until killed."""
    scripts = Scripts(connect(settings.redis))
    coordination = Coordination.open(settings, scripts)
    leases = RedisLeases(scripts, settings.coordination_life, shift)
    sockets = TestSyncSockets(
        rooms(settings, coordination, lease_operations(_service(leases, coordination))),
        Credentials("", ""),
        api_tokens=None,
        strict=False,
    )
    listening = socket.create_server(("127.0.0.1", settings.testsync_ws_port))
    listening.setblocking(False)  # noqa: FBT003 - the standard library's signature
    await sockets.open([listening])
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(coordination.run())
        tasks.create_task(sockets.tend())
        announce_ready()


def rooms(settings: Settings, coordination: Coordination, shifted: Operations) -> Rooms:
    return Rooms(
        meetings=coordination.meetings,
        data=SqlTestData(open_database(settings.database)),
        operations={**coordination.operations, **shifted},
        presence=coordination.presence,
        connections=coordination.connections,
        clock=lambda: datetime.now(UTC),
        gateway_id=coordination.gateway_id,
    )


def _service(leases: RedisLeases, coordination: Coordination) -> LeaseService:
    return LeaseService(leases, coordination.signals, lambda: token_hex(8))


if __name__ == "__main__":
    uvloop.run(serve(Settings(), timedelta(seconds=float(sys.argv[1]))))
