"""Answers of TestIO as lists of our entities.

An item that cannot be read is noted in its place and costs no other; an answer that is no list at
all raises Misshapen. An item that comes twice, as when a page moved on meanwhile, is given once.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

import msgspec

from syncsvc.adapters.testio import entities, shapes
from syncsvc.adapters.testio.texts import shown, text_of
from syncsvc.catalogue.entities import (
    CatalogueTest,
    FeatureList,
    Page,
    ProductList,
    Unreadable,
)
from syncsvc.catalogue.ports import Misshapen


class Identified(Protocol):
    @property
    def id(self) -> int: ...


Raw = TypeVar("Raw")
Item = TypeVar("Item", bound=Identified)

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_REFERENCE = msgspec.json.Decoder(shapes.RawReference)
_PRODUCT = msgspec.json.Decoder(shapes.RawProduct)
_FEATURE = msgspec.json.Decoder(shapes.RawFeature)
_TEST = msgspec.json.Decoder(shapes.RawTest)

_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_TYPES = re.compile(r"Expected `([^`]*)`([^,]*)(?:, got `([^`]*)`)?")
_MISSING = re.compile(r"Object missing required field `(.*)`")


def product_list(body: bytes) -> ProductList:
    items = _read(body, "products", _PRODUCT, entities.product)
    return ProductList(list(items.found.values()), items.unreadable)


def feature_list(body: bytes, product_id: int, *, with_stories: bool) -> FeatureList:
    """Read a product's features; a user story that several of them list is the first one's."""
    items = _read(body, "features", _FEATURE, lambda raw: entities.feature(raw, product_id))
    told: set[str] = set()
    features = []
    for each in items.found.values():
        stories = [story for story in each.stories if with_stories and story.key not in told]
        told.update(story.key for story in stories)
        features.append(replace(each, stories=tuple(stories)))
    return FeatureList(features, items.unreadable)


def page_of_tests(body: bytes, product_id: int) -> Page:
    items = _read(body, "exploratory_tests", _TEST, lambda raw: entities.test(raw, product_id))
    return Page(list(items.found.values()), items.count, items.unreadable)


def one_test(body: bytes, product_id: int, test_id: int) -> CatalogueTest:
    """Read one test. Raises Misshapen, also when it is another than was asked for."""
    raw = _part(body, "exploratory_test", "an object")
    try:
        test = entities.test(_TEST.decode(raw), product_id)
    except (ValueError, RecursionError) as error:
        raise Misshapen(f"exploratory_test: {_explained(error)}") from error
    if test.id != test_id:
        raise Misshapen(f"exploratory_test: id: expected {test_id}, found {test.id}")
    return test


@dataclass
class _Items(Generic[Item]):
    """What a list holds: `count` is that of all its items."""

    count: int
    found: dict[int, Item] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)


def _read(
    body: bytes, name: str, decoder: msgspec.json.Decoder[Raw], entity: Callable[[Raw], Item]
) -> _Items[Item]:
    raws = _raw_items(body, name)
    items: _Items[Item] = _Items(len(raws))
    for index, raw in enumerate(raws):
        try:
            item = entity(decoder.decode(raw))
        except (ValueError, RecursionError) as error:
            items.unreadable.append(Unreadable(index, _id_of(raw), _explained(error)))
        else:
            items.found.setdefault(item.id, item)
    return items


def _raw_items(body: bytes, name: str) -> list[msgspec.Raw]:
    expected = "a list"
    try:
        return _LIST.decode(_part(body, name, expected))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Misshapen(f"{name}: expected {expected}, found {_found(error)}") from error


def _part(body: bytes, name: str, expected: str) -> msgspec.Raw:
    """Give a field of the answer, which must be an object."""
    answer = f"expected an object with {expected} named {name!r}"
    try:
        whole = _OBJECT.decode(text_of(body))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Misshapen(f"{answer}, found {_whole(body, error)}") from error
    if name not in whole:
        names = ", ".join(sorted(whole))
        raise Misshapen(
            f"{answer}, found {f'one with {shown(names)}' if names else 'an empty one'}"
        )
    return whole[name]


def _whole(body: bytes, error: Exception) -> str:
    start = body.lstrip()[:1]
    if not start:
        return "nothing"
    return "a page of HTML or XML" if start == b"<" else _found(error)


def _found(error: Exception) -> str:
    types = _TYPES.match(str(error))
    if types and types[3]:
        return types[3]
    return "what is nested too deeply" if isinstance(error, RecursionError) else "no valid JSON"


def _id_of(raw: msgspec.Raw) -> int | None:
    try:
        return _REFERENCE.decode(raw).id
    except (msgspec.MsgspecError, RecursionError):
        return None


def _explained(error: Exception) -> str:
    """Say field, expected and found, of an error of msgspec's or one of ours."""
    if isinstance(error, RecursionError) or type(error) is msgspec.DecodeError:
        return f"item: expected an object, found {_found(error)}"
    place = _PLACE.search(str(error))
    return _in_place(place[1] if place else "", _PLACE.sub("", str(error)))


def _in_place(place: str, said: str) -> str:
    missing = _MISSING.match(said)
    if missing:
        return f"{f'{place}.' if place else ''}{missing[1]}: expected a value, found none"
    types = _TYPES.match(said)
    if types is None:
        return f"{place}: expected what can be stored, found: {said}" if place else said
    expected, limit, found = types.groups()
    return f"{place or 'item'}: expected {expected}{limit}, found {found or 'another'}"
