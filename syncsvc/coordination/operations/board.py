"""The commands of the blackboard."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from syncsvc.coordination.board.model import Change, Fence, Listed, State
from syncsvc.coordination.board.service import BoardService
from syncsvc.coordination.names import LONGEST_NAME
from syncsvc.coordination.once import once
from syncsvc.coordination.operations.fields import (
    EXACT,
    Asking,
    Life,
    RequestId,
    Seconds,
    json_text,
)
from syncsvc.coordination.operations.operation import Caller, Operation, Reply, table

Version = Annotated[int, Meta(ge=0, le=EXACT)]
Page = Annotated[int, Meta(ge=1, le=1000)]
Text = Annotated[str, Meta(max_length=LONGEST_NAME)]
NULL = msgspec.Raw(b"null")


class FenceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Refuses the change unless `token` is the newest that was granted of this lease."""

    lease: Annotated[str, Meta(description="leader/NAME or lock/NAME")]
    token: Annotated[int, Meta(ge=1, le=EXACT)]


class DataPut(Asking, frozen=True, kw_only=True):
    name: str
    value: msgspec.Raw
    if_version: Annotated[int, Meta(ge=0, le=EXACT, description="0: must not exist")] | None = None
    ttl_seconds: Life | None = None
    request: RequestId | None = None
    fence: FenceRequest | None = None


class DataDelete(Asking, frozen=True, kw_only=True):
    name: str
    if_version: Version | None = None
    request: RequestId | None = None
    fence: FenceRequest | None = None


class DataGet(Asking, frozen=True, kw_only=True):
    name: str


class DataList(Asking, frozen=True, kw_only=True):
    prefix: Text = ""
    limit: Page = 1000
    after: Text | None = None


class DataWatch(Asking, frozen=True, kw_only=True):
    name: str
    after_version: Version = 0
    wait_seconds: Seconds


class DataVersion(Reply, frozen=True):
    name: str
    version: int


class DataEntry(Reply, frozen=True):
    name: str
    value: msgspec.Raw
    version: int
    worker: str | None


class ListedEntry(msgspec.Struct, frozen=True):
    name: str
    version: int
    worker: str | None


class DataPage(Reply, frozen=True):
    entries: list[ListedEntry]
    next: str | None  # give it as `after` to get the page after this one


class DataChange(Reply, frozen=True):
    name: str
    changed: bool
    value: msgspec.Raw
    version: int
    deleted: bool


@dataclass(frozen=True)
class BoardCommands:
    """Carries them out."""

    board: BoardService

    async def put(self, caller: Caller, asked: DataPut) -> DataVersion:
        lasts = asked.ttl_seconds
        change = Change(
            asked.name,
            json_text("value", asked.value),
            once("data.put", asked.name, asked.request),
            _worker(caller, asked),
            asked.if_version,
            None if lasts is None else timedelta(seconds=lasts),
            _fence(asked.fence),
        )
        return DataVersion(asked.name, await self.board.change(caller.run, change))

    async def delete(self, caller: Caller, asked: DataDelete) -> DataVersion:
        change = Change(
            asked.name,
            None,
            once("data.delete", asked.name, asked.request),
            _worker(caller, asked),
            asked.if_version,
            fence=_fence(asked.fence),
        )
        return DataVersion(asked.name, await self.board.change(caller.run, change))

    async def get(self, caller: Caller, asked: DataGet) -> DataEntry:
        state = await self.board.get(caller.run, asked.name)
        return DataEntry(asked.name, _value(state), state.version, state.worker)

    async def page(self, caller: Caller, asked: DataList) -> DataPage:
        found = await self.board.page(caller.run, asked.prefix, asked.after or "", asked.limit)
        more = found[-1].name if len(found) == asked.limit else None
        return DataPage([_listed(each) for each in found], more)

    async def watch(self, caller: Caller, asked: DataWatch) -> DataChange:
        known = asked.after_version
        state = await self.board.watch(caller.run, asked.name, known, asked.wait_seconds)
        changed = state.version != known
        value = _value(state) if changed else NULL
        return DataChange(asked.name, changed, value, state.version, state.was_deleted)


def board_operations(board: BoardService) -> dict[str, Operation]:
    """Give the commands of the blackboard."""
    do = BoardCommands(board)
    return table(
        Operation(
            "data.put",
            "Leaves a value under a name, if its version and the fence are as expected.",
            DataPut,
            DataVersion,
            do.put,
        ),
        Operation("data.get", "Gives the value under a name.", DataGet, DataEntry, do.get),
        Operation(
            "data.delete",
            "Deletes a name, if its version and the fence are as expected.",
            DataDelete,
            DataVersion,
            do.delete,
        ),
        Operation(
            "data.list",
            "Lists names and versions, in the order of names.",
            DataList,
            DataPage,
            do.page,
        ),
        Operation(
            "data.watch",
            "Waits until the version of a name is another one.",
            DataWatch,
            DataChange,
            do.watch,
        ),
    )


def _worker(caller: Caller, asked: DataPut | DataDelete) -> str | None:
    if asked.worker is None and caller.worker is None:
        return None
    return caller.named(asked.worker)


def _fence(asked: FenceRequest | None) -> Fence | None:
    return None if asked is None else Fence.of(asked.lease, asked.token)


def _value(state: State) -> msgspec.Raw:
    return NULL if state.value is None else msgspec.Raw(state.value.encode())


def _listed(each: Listed) -> ListedEntry:
    return ListedEntry(each.name, each.version, each.worker)
