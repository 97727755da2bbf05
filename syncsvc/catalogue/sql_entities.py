"""What a sync finds is written into the catalogue's tables, and what it misses is left or deleted.

A row that is deleted keeps what it holds, and one that comes back is undeleted.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, false, select, true, update

from syncsvc.catalogue.model import Counts
from syncsvc.catalogue.sql_covering import replace_covered
from syncsvc.catalogue.sql_kinds import FEATURES, PRODUCTS, STORIES, TESTS, Writing, here
from syncsvc.catalogue.sql_rows import Kept, Place
from syncsvc.catalogue.vanishing import vanishing
from syncsvc.catalogue.work import (
    ASIDE,
    LIVE,
    FeaturesFound,
    Found,
    ProductGone,
    ProductsFound,
    TestsFound,
    TestsGone,
)

_products, _features = PRODUCTS.table.c, FEATURES.table.c
_stories, _tests = STORIES.table.c, TESTS.table.c
_PRODUCT: BindParameter[int] = bindparam("in_product")

_ALL_PRODUCTS = select(_products.id, _products.digest, _products.is_active).where(
    here(PRODUCTS.table)
)
_ACTIVE = (
    select(_products.id)
    .where(here(PRODUCTS.table), _products.is_active == true())
    .order_by(_products.id)
)
_DEACTIVATE = (
    update(PRODUCTS.table)
    .where(PRODUCTS.named, _products.is_active == true())
    .values(is_active=false())
)
# SQLite, which has no statistics, would rather read all rows of a customer than use the index of
# a product's; of keys alone it reads the index.
_FEATURE_IDS = (
    select(_features.id)
    .where(here(FEATURES.table), _features.product_id == _PRODUCT)
    .correlate(None)
)
_STORY_KEYS = (
    select(_stories.key)
    .where(here(STORIES.table), _stories.feature_id.in_(_FEATURE_IDS))
    .correlate(None)
)
_FEATURES_OF = select(_features.id, _features.digest, _features.deleted_at).where(
    here(FEATURES.table), _features.id.in_(_FEATURE_IDS)
)
_STORIES_OF = select(_stories.key, _stories.digest, _stories.deleted_at, _stories.feature_id).where(
    here(STORIES.table), _stories.key.in_(_STORY_KEYS)
)
_DELETE_TESTS = TESTS.delete.where(_tests.product_id == _PRODUCT)
_LIVE_TESTS = select(_tests.id, _tests.last_seen_run).where(
    here(TESTS.table), _tests.product_id == _PRODUCT, _tests.deleted_at.is_(None)
)


def keep_found(connection: Connection, place: Place, found: Found, now: datetime) -> Kept:
    """Store one finding, and say what it changed. Products, features and tests are counted."""
    return _KEEP[type(found)](Writing(connection, place, now), found)


def plan_products(
    connection: Connection, customer: str, stage: int, ids: Collection[int] | None
) -> Sequence[int]:
    """Name the active products that are known, of those in scope."""
    place = {"in_customer": customer, "in_stage": stage}
    active = connection.scalars(_ACTIVE, place)
    return [product for product in active if ids is None or product in ids]


def _keep_products(writing: Writing, found: ProductsFound) -> Kept:
    rows = writing.select(_ALL_PRODUCTS)
    known = {id_: content if active else None for id_, content, active in rows}
    listed = {product.id: product for product in found.products}
    counts = writing.store(PRODUCTS, listed, known).counts
    if not found.whole:
        return Kept(counts)
    if writing.place.stage == ASIDE:
        return _miss_aside(writing, found, counts)
    active = {id_ for id_, content in known.items() if content is not None}
    wanted = active if found.asked is None else set(found.asked)
    missing = wanted - listed.keys()
    guarded = active if found.asked is None else None
    if refusal := _refusal(writing, "products", guarded, missing):
        return Kept(counts, (refusal,))
    gone = writing.change(_DEACTIVATE, missing & active)
    warnings = [_absent(product, was_active=product in active) for product in sorted(missing)]
    return Kept(counts + Counts(deleted=gone), tuple(warnings))


def _miss_aside(writing: Writing, found: ProductsFound, counts: Counts) -> Kept:
    """Note aside which live products the end of a nuke removes: rows that are deleted already."""
    rows = _live_place(writing).select(_ALL_PRODUCTS)
    live = {id_: active for id_, _, active in rows if found.asked is None or id_ in found.asked}
    listed = {product.id for product in found.products}
    active = {id_ for id_ in live if live[id_]}
    if refusal := _refusal(writing, "products", active, active - listed):
        return Kept(counts, (refusal,))
    writing.note_gone(PRODUCTS, live.keys() - listed, name="", sections="[]", is_active=False)
    absent = sorted((active if found.asked is None else set(found.asked)) - listed)
    return Kept(counts, tuple(f"product {id_}: expected in the list, not found" for id_ in absent))


def _absent(product: int, *, was_active: bool) -> str:
    text = f"product {product}: expected in the list, not found"
    return f"{text}; it is inactive until a list has it again" if was_active else text


def _live_place(writing: Writing) -> Writing:
    return replace(writing, place=replace(writing.place, stage=LIVE))


def _lose_product(writing: Writing, found: ProductGone) -> Kept:
    """Mark it in what readers see at once, also while a nuke builds: nothing will replace it."""
    gone = writing.change(_DEACTIVATE, [found.product_id])
    if writing.place.stage == ASIDE:
        gone = max(gone, _live_place(writing).change(_DEACTIVATE, [found.product_id]))
    text = f"product {found.product_id}: the server does not know it; "
    warning = text + "it is inactive until a list has it again"
    return Kept(Counts(deleted=gone), (warning,) if gone else ())


def _keep_features(writing: Writing, found: FeaturesFound) -> Kept:
    listed = {feature.id: replace(feature, stories=()) for feature in found.features}
    rows = writing.select(_FEATURES_OF, in_product=found.product_id)
    own = {id_: None if gone else content for id_, content, gone in rows}
    moved = writing.known(FEATURES, listed.keys() - own.keys())
    counts = writing.store(FEATURES, listed, {**own, **moved}).counts
    missing = _live(own) - listed.keys() if found.whole else set()
    subject = f"features of product {found.product_id}"
    refusal = _refusal(writing, subject, _live(own), missing)
    if refusal:
        missing = set()
    counts += Counts(deleted=writing.remove(FEATURES, missing))
    if found.with_stories:
        counts += _keep_stories(writing, found, missing)
    return Kept(counts, (refusal,) if refusal else ())


def _keep_stories(writing: Writing, found: FeaturesFound, gone: Collection[int]) -> Counts:
    """Store the stories of the listed features; the others of these, and of `gone`, are deleted."""
    listed = {story.key: story for feature in found.features for story in feature.stories}
    rows = writing.select(_STORIES_OF, in_product=found.product_id)
    own = {key: None if gone_at else content for key, content, gone_at, _ in rows}
    moved = writing.known(STORIES, listed.keys() - own.keys())
    written = writing.store(STORIES, listed, {**own, **moved})
    judged = {feature.id for feature in found.features}.union(gone)
    missing = {
        key for key, _, gone_at, feature in rows if gone_at is None and feature in judged
    } - listed.keys()
    return written.counts + Counts(deleted=writing.remove(STORIES, missing))


def _keep_tests(writing: Writing, found: TestsFound) -> Kept:
    listed = {test.id: test for test in found.tests}
    written = writing.store(TESTS, listed, writing.known(TESTS, listed))
    if written.keys:
        replace_covered(writing, [listed[key] for key in written.keys])
    return Kept(written.counts)


def _lose_tests(writing: Writing, found: TestsGone) -> Kept:
    if found.ids is not None:
        return Kept(Counts(deleted=_delete_tests(writing, found.product_id, found.ids)))
    rows = writing.select(_LIVE_TESTS, in_product=found.product_id)
    unseen = {id_ for id_, run in rows if run != writing.place.run_id}
    subject = f"tests of product {found.product_id}"
    if refusal := _refusal(writing, subject, rows, unseen):
        return Kept(Counts(), (refusal,))
    return Kept(Counts(deleted=_delete_tests(writing, found.product_id, unseen)))


def _delete_tests(writing: Writing, product: int, ids: Collection[int]) -> int:
    return writing.change(_DELETE_TESTS, ids, in_product=product, in_moment=writing.now)


def _live(known: Mapping[Any, str | None]) -> set[Any]:
    return {key for key, content in known.items() if content is not None}


def _refusal(
    writing: Writing, subject: str, known: Collection[Any] | None, missing: Collection[Any]
) -> str | None:
    """Say why none of these may be deleted, and how to have it done; None when they may be."""
    if known is None or writing.place.allow_vanishing:
        return None
    reason = vanishing(len(known), len(missing))
    if reason is None:
        return None
    return f"{subject}: {reason}; none was, --allow-vanishing would do it"


_KEEP: Mapping[type, Callable[[Writing, Any], Kept]] = {
    ProductsFound: _keep_products,
    FeaturesFound: _keep_features,
    TestsFound: _keep_tests,
    TestsGone: _lose_tests,
    ProductGone: _lose_product,
}
