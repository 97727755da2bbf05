"""What a test or a demo may wish of TestIO; what is left out stays."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from syncsvc.sandbox.testio.malformed import Answer, Kind
from syncsvc.sandbox.testio.recipe import TYPES, Instant

Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=1, le=100_000)]
WORDS = {
    "retry_after": "seconds or date",
    "single": "error or ok",
    "kind": ", ".join(Kind),
    "answer": ", ".join(Answer),
    "type": ", ".join(TYPES),
}


class AlterProduct(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Text | UnsetType = UNSET
    type: Text | UnsetType = UNSET
    description: str | UnsetType = UNSET


class AlterFeature(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Text | UnsetType = UNSET
    description: str | UnsetType = UNSET
    howtofind: str | UnsetType = UNSET


class AddFeatures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    count: Count = 1
    title: Text | None = None


class AlterTest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    status: Text | UnsetType = UNSET
    title: Text | UnsetType = UNSET
    end_at: Instant | UnsetType = UNSET


class AddTests(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without a time they come on top, one after the other; with one they share it."""

    count: Count = 1
    end_at: Instant | None = None
    status: Text = "running"
    title: Text | None = None


class Poison(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    single: Literal["error", "ok"] = "error"


def changes(wish: Struct) -> dict[str, Any]:
    """Give what a wish names."""
    return {name: value for name, value in structs.asdict(wish).items() if value is not UNSET}
