"""TestSync's one piece of data for a test, for runs whose name is the test's number."""

from typing import Any

import msgspec

from syncsvc.client.asking import Speaker, as_json
from syncsvc.client.calls import BINARY, Question


class _Count(msgspec.Struct, frozen=True):
    count: int


class TestData(Speaker):
    """The same that plain TestSync agents and `GET /tests/{id}` see."""

    __test__ = False  # a name that pytest would take for a test

    async def read(self) -> bytes:
        """Give it as it is stored; empty when there is none."""
        return await self._session.call(Question("read_data", answer=BINARY))

    async def update(self, value: Any) -> None:
        """Replace it by any JSON; done when it is stored."""
        replacing = ("update_data", as_json("value", value))
        await self._session.call(Question("read_data", answer=BINARY, first=replacing))

    async def connections(self) -> int:
        """Give how many connections the run has."""
        command = "get_connection_count"
        raw = await self._session.call(Question(command, answer=command))
        return msgspec.json.decode(raw, type=_Count).count
