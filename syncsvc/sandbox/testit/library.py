"""What a project knows before any run: autotests, configurations, work items, attachments."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import TypeVar
from uuid import UUID

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID
from syncsvc.sandbox.replies import Missing, Refusal
from syncsvc.sandbox.testit.requests import AutotestFilter, WriteAutotest
from syncsvc.sandbox.testit.values import check_depth

MOST_AUTOTESTS = 100_000
MOST_ATTACHMENTS = 100_000  # older ones are forgotten
MOST_CONTENT = 64_000_000  # bytes of all files; of older ones only the description is kept

_T = TypeVar("_T")


@dataclass(frozen=True)
class Autotest:
    id: UUID
    global_id: int
    written: WriteAutotest
    created: datetime
    modified: datetime
    work_items: Sequence[int] = ()


@dataclass(frozen=True)
class Configuration:
    id: UUID
    global_id: int
    name: str
    created: datetime


@dataclass(frozen=True)
class Attachment:
    """An uploaded file; its digest proves its content when that is no longer kept."""

    id: UUID
    name: str
    media_type: str
    size: int
    sha256: str
    created: datetime


@dataclass
class Library:
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    autotests: dict[UUID, Autotest] = field(default_factory=dict)
    configurations: dict[UUID, Configuration] = field(default_factory=dict)
    attachments: dict[UUID, Attachment] = field(default_factory=dict)
    contents: dict[UUID, bytes] = field(default_factory=dict)  # of attachments
    most_content: int = MOST_CONTENT
    work_items: dict[int, UUID] = field(default_factory=dict)
    _by_external_id: dict[str, UUID] = field(default_factory=dict)
    _by_number: dict[int, UUID] = field(default_factory=dict)
    _content_size: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._add_configuration(CONFIGURATION_ID, "Sandbox")

    def add_configuration(self, name: str) -> Configuration:
        return self._add_configuration(self.new_id(), name)

    def configuration(self, configuration_id: UUID, status: int = 404) -> Configuration:
        """Look a configuration up; a result that names an unknown one is answered with 422."""
        found = self.configurations.get(configuration_id)
        if found is None:
            text = f"Configuration {configuration_id} was not found"
            raise Refusal(status, text, "configurationId")
        return found

    def create(self, wanted: Sequence[WriteAutotest]) -> list[Autotest]:
        """Create all or none of them."""
        taken = [each.external_id for each in wanted if each.external_id in self._by_external_id]
        again = repeated(each.external_id for each in wanted)
        if taken or again:
            name = (taken or again)[0]
            raise Refusal(409, f"Autotest with external ID {name} already exists", "externalId")
        for each in wanted:
            _check(each)
        if len(self.autotests) + len(wanted) > MOST_AUTOTESTS:
            raise Refusal(422, f"a sandbox keeps no more than {MOST_AUTOTESTS} autotests")
        return [self._create(each) for each in wanted]

    def update(self, wanted: Sequence[WriteAutotest]) -> None:
        """Update all or none of them; they are known by id or by external id."""
        changed = [self._updated(each) for each in wanted]
        for autotest in changed:
            self.autotests[autotest.id] = autotest
            self._by_external_id[autotest.written.external_id] = autotest.id

    def autotest(self, key: str) -> Autotest:
        """Find an autotest by its id or its global id."""
        for autotest_id in self._ids(key):
            if autotest_id in self.autotests:
                return self.autotests[autotest_id]
        raise Missing("Autotest", key)

    def knows(self, external_id: str) -> bool:
        return external_id in self._by_external_id

    def by_external_id(self, external_id: str) -> Autotest:
        autotest_id = self._by_external_id.get(external_id)
        if autotest_id is None:
            raise Missing("Autotest with external ID", external_id)
        return self.autotests[autotest_id]

    def numbered(self, global_id: int) -> Autotest | None:
        autotest_id = self._by_number.get(global_id)
        return None if autotest_id is None else self.autotests[autotest_id]

    def search(self, wanted: AutotestFilter) -> list[Autotest]:
        candidates: Iterable[Autotest] = self.autotests.values()
        if wanted.external_ids is not None:
            ids = (self._by_external_id.get(each) for each in dict.fromkeys(wanted.external_ids))
            candidates = [self.autotests[each] for each in ids if each is not None]
        return [each for each in candidates if _matches(each, wanted)]

    def link(self, key: str, work_item: str) -> None:
        autotest, number = self.autotest(key), self.work_item(work_item)
        if number not in autotest.work_items:
            linked = (*autotest.work_items, number)
            self.autotests[autotest.id] = replace(autotest, work_items=linked)

    def unlink(self, key: str, work_item: str | None) -> None:
        """Remove one link, or all of them where none is named."""
        autotest = self.autotest(key)
        gone = autotest.work_items if work_item is None else [self.work_item(work_item)]
        kept = tuple(each for each in autotest.work_items if each not in gone)
        self.autotests[autotest.id] = replace(autotest, work_items=kept)

    def work_item(self, key: str) -> int:
        """Find a work item by its id or its number; a number is made known by its first use.

        The library of manual tests is no part of the sandbox, so any number may exist.
        """
        if key.isdecimal() and len(key) < 10:
            self.work_items.setdefault(int(key), self.new_id())
            return int(key)
        for number, work_item_id in self.work_items.items():
            if str(work_item_id) == key.lower():
                return number
        raise Missing("Work item", key)

    def keep(self, attachment: Attachment, content: bytes) -> Attachment:
        self.attachments[attachment.id] = attachment
        self.contents[attachment.id] = content
        self._content_size += len(content)
        while self._content_size > self.most_content:
            self._forget_content(next(iter(self.contents)))
        if len(self.attachments) > MOST_ATTACHMENTS:
            oldest = next(iter(self.attachments))
            self._forget_content(oldest)
            del self.attachments[oldest]
        return attachment

    def check_attachments(self, ids: Iterable[UUID]) -> None:
        for each in ids:
            if each not in self.attachments:
                raise Missing("Attachment", each)

    def _forget_content(self, attachment_id: UUID) -> None:
        self._content_size -= len(self.contents.pop(attachment_id, b""))

    def _add_configuration(self, configuration_id: UUID, name: str) -> Configuration:
        new = Configuration(configuration_id, next(self._numbers), name, self.clock())
        self.configurations[new.id] = new
        return new

    def _create(self, wanted: WriteAutotest) -> Autotest:
        now = self.clock()
        autotest = Autotest(self.new_id(), next(self._numbers), wanted, now, now)
        self.autotests[autotest.id] = autotest
        self._by_external_id[wanted.external_id] = autotest.id
        self._by_number[autotest.global_id] = autotest.id
        return autotest

    def _updated(self, wanted: WriteAutotest) -> Autotest:
        _check(wanted)
        if wanted.id is None:
            known = self.by_external_id(wanted.external_id)
        else:
            known = self.autotest(str(wanted.id))
        return replace(known, written=wanted, modified=self.clock())

    def _ids(self, key: str) -> list[UUID]:
        if key.isdecimal() and len(key) < 10:
            found = self._by_number.get(int(key))
            return [] if found is None else [found]
        try:
            return [UUID(key)]
        except ValueError:
            return []


def check_project(project_id: UUID) -> None:
    if project_id != PROJECT_ID:
        raise Missing("Project", project_id)


def repeated(names: Iterable[str]) -> list[str]:
    """List the names that occur more than once."""
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for name in names:
        if name in seen:
            twice[name] = None
        seen.add(name)
    return list(twice)


def matches_any(wanted: Sequence[_T] | None, found: Iterable[_T]) -> bool:
    """Say whether a list of a filter lets something through; without a list everything passes."""
    return wanted is None or not set(wanted).isdisjoint(found)


def _check(wanted: WriteAutotest) -> None:
    check_project(wanted.project_id)
    for steps in (wanted.steps, wanted.setup, wanted.teardown):
        check_depth(steps)


def _matches(autotest: Autotest, wanted: AutotestFilter) -> bool:
    test = autotest.written
    exact: Mapping[str, object] = {
        "namespace": wanted.namespace,
        "classname": wanted.class_name,
        "external_key": wanted.external_key,
    }
    return (
        not wanted.is_deleted
        and matches_any(wanted.project_ids, [test.project_id])
        and matches_any(wanted.global_ids, [autotest.global_id])
        and matches_any(wanted.tags, test.tags or ())
        and (wanted.name or "").casefold() in test.name.casefold()
        and wanted.is_flaky in (None, bool(test.is_flaky))
        and all(value in (None, getattr(test, name)) for name, value in exact.items())
    )
