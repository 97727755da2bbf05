"""What may be pushed, where it goes, and what those who push are told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

import msgspec
import pytest

from syncsvc.errors import Rejected, TooLarge, Unavailable, Unknown
from syncsvc.results.held.model import EntryState
from syncsvc.results.held.ports import Filter
from syncsvc.results.pushed.memory import MemoryPushOutbox
from syncsvc.results.pushed.memory_files import MemoryFiles
from syncsvc.results.pushed.model import AttachmentRef, Phase, Result, Step
from syncsvc.results.pushed.ports import NewRun, RunInfo
from syncsvc.results.pushed.service import Defaults, PushService
from syncsvc.runs.memory import MemoryRuns
from syncsvc.runs.model import Destination, Run
from tests.support.builders import MINUTE, NOON, Clock, ids
from tests.support.fakes import Servers

RUN = "11111111-1111-4111-8111-111111111111"
PROJECT = "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"
CHROME = "44444444-4444-4444-8444-444444444444"
FIREFOX = "55555555-5555-4555-8555-555555555555"
BOTH = Defaults(PROJECT, CHROME)
SERVER = Destination("https://testit.example", "token")


@dataclass
class TestIt:
    """The part of Test IT's board that a push asks at once."""

    __test__ = False

    created: list[tuple[Destination, NewRun]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    failure: Exception | None = None
    starts: bool = True

    async def create_run(self, destination: Destination, new: NewRun) -> str:
        self._fail()
        self.created.append((destination, new))
        return RUN

    async def start_run(self, run: Run) -> None:
        if not self.starts:
            raise Unavailable("503")
        self.started.append(run.id)

    async def run_info(self, run: Run) -> RunInfo:
        self._fail()
        self.asked.append(run.id)
        return RunInfo(OTHER, "InProgress")

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@dataclass
class Bell:
    rung: int = 0

    async def push(self) -> None:
        self.rung += 1


@dataclass
class House:
    defaults: Defaults = BOTH
    server: Destination | None = SERVER

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.runs = MemoryRuns()
        self.outbox = MemoryPushOutbox(ids(), self.runs)
        self.files = MemoryFiles(self.outbox)
        self.test_it = TestIt()
        self.bell = Bell()
        self.service = PushService(
            self.outbox,
            self.files,
            self.runs,
            self.test_it,
            Servers(self.server),
            self.bell,
            self.defaults,
            self.clock,
        )

    async def stored(self) -> list[Result]:
        return [entry.result for entry in reversed(await self.outbox.entries(Filter()))]


@pytest.fixture
def house() -> House:
    return House()


def result(external_id: str = "test", **more: object) -> Result:
    return Result(external_id=external_id, status="passed", **more)


def nested(levels: int) -> Step:
    step = Step(name="innermost")
    for _ in range(levels - 1):
        step = Step(name="outer", steps=(step,))
    return step


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_is_accepted_is_stored_and_asked_to_be_delivered(house):
    accepted = await house.service.accept(RUN, [result("a"), result("b")])

    assert (accepted.new, accepted.known) == (2, 0)
    assert [each.external_id for each in await house.stored()] == ["a", "b"]
    assert house.bell.rung == 1


async def test_what_is_known_by_its_key_is_not_stored_again_and_wakes_nobody(house):
    await house.service.accept(RUN, [result(key="k")])

    accepted = await house.service.accept(RUN, [result(key="k")])

    assert (accepted.new, accepted.known, house.bell.rung) == (0, 1, 1)


async def test_a_run_nobody_told_us_of_belongs_to_the_configured_server(house):
    await house.service.accept(RUN, [result()])

    assert house.runs.rows[RUN].destination == SERVER


async def test_a_run_that_workers_registered_for_keeps_its_server():
    house = House(server=None)
    theirs = Run(RUN, Destination("https://other.example", "theirs"), NOON)
    await house.runs.put(theirs)

    await house.service.accept(RUN, [result()])

    assert house.runs.rows[RUN] == theirs


async def test_without_any_server_the_settings_to_set_are_named():
    with pytest.raises(Rejected, match="set SYNCSVC_TESTIT_URL and SYNCSVC_TESTIT_TOKEN"):
        await House(server=None).service.accept(RUN, [result()])


async def test_a_project_that_nobody_names_is_asked_from_test_it():
    house = House(Defaults(None, CHROME))

    await house.service.accept(RUN, [result()])
    await house.service.accept(RUN, [result()])

    assert (await house.outbox.push(RUN)).project_id == OTHER
    assert house.test_it.asked == [RUN]


async def test_nothing_is_accepted_when_only_test_it_knows_the_project_and_is_down():
    house = House(Defaults(None, CHROME))
    house.test_it.failure = Unavailable("503")

    with pytest.raises(Unavailable):
        await house.service.accept(RUN, [result()])

    assert not await house.stored()


async def test_a_named_project_replaces_the_one_before(house):
    await house.service.accept(RUN, [result()])

    await house.service.accept(RUN, [result()], project_id=OTHER)
    await house.service.accept(RUN, [result()])

    assert (await house.outbox.push(RUN)).project_id == OTHER


async def test_jobs_with_different_configurations_share_a_run(house):
    await house.service.accept(RUN, [result("a")], configuration_id=CHROME)
    await house.service.accept(RUN, [result("b")], configuration_id=FIREFOX)
    await house.service.accept(
        RUN, [result("c", configuration_id=CHROME)], configuration_id=FIREFOX
    )

    assert [each.configuration_id for each in await house.stored()] == [CHROME, FIREFOX, CHROME]


async def test_a_result_without_any_configuration_is_named():
    house = House(Defaults(PROJECT, None))

    with pytest.raises(Rejected, match=r"results\[1\]\.configuration_id: .*CONFIGURATION_ID"):
        await house.service.accept(RUN, [result(configuration_id=CHROME), result()])


@pytest.mark.parametrize(
    ("results", "complaint"),
    [
        ([], "results: expected 1 to 1000 results, found 0"),
        ([result()] * 1001, "results: expected 1 to 1000 results, found 1001"),
        ([result(), result("a\0")], r"results\[1\]\.external_id: .*NUL"),
        ([result(key="a\0")], r"results\[0\]\.key: .*NUL"),
        ([result(configuration_id="x")], r"results\[0\]\.configuration_id: .*UUID, found 'x'"),
        ([result(steps=(nested(16),))], r"results\[0\]\.steps.*: expected at most 15 levels"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_path_and_nothing_is_stored(
    house, results, complaint
):
    with pytest.raises(Rejected, match=complaint):
        await house.service.accept(RUN, results)

    assert not await house.stored()


async def test_fifteen_levels_of_steps_are_taken(house):
    assert (await house.service.accept(RUN, [result(steps=(nested(15),))])).new == 1


@pytest.mark.parametrize(
    ("run_id", "project_id", "configuration_id", "field"),
    [
        ("nightly", None, None, "run"),
        (RUN, "7", None, "project_id"),
        (RUN, None, "{" + CHROME + "}", "configuration_id"),
    ],
)
async def test_an_id_that_is_no_uuid_is_refused_by_name(
    house, run_id, project_id, configuration_id, field
):
    with pytest.raises(Rejected, match=f"^{field}: expected an id of Test IT's"):
        await house.service.accept(run_id, [result()], project_id, configuration_id)


async def test_a_created_run_is_ready_for_results(house):
    run_id = await house.service.create_run(NewRun(OTHER, "nightly"))

    await house.service.accept(run_id, [result()])

    assert house.test_it.created == [(SERVER, NewRun(OTHER, "nightly"))]
    assert (await house.outbox.push(run_id)).project_id == OTHER


async def test_a_created_run_is_started_and_holds_nothing_that_a_plan_has_made(house):
    run_id = await house.service.create_run(NewRun(OTHER))

    assert house.test_it.started == [run_id]
    assert (await house.outbox.push(run_id)).planned is False


async def test_a_created_run_that_could_not_be_started_is_left_to_its_first_batch(house):
    house.test_it.starts = False

    run_id = await house.service.create_run(NewRun(OTHER))

    assert (await house.outbox.push(run_id)).planned is None


async def test_a_run_is_created_in_the_configured_project_when_none_is_named(house):
    await house.service.create_run(NewRun(""))

    assert house.test_it.created[0][1].project_id == PROJECT


async def test_a_run_without_any_project_is_refused_with_the_setting():
    with pytest.raises(Rejected, match="SYNCSVC_TESTIT_PROJECT_ID"):
        await House(Defaults()).service.create_run(NewRun(""))


async def test_a_run_that_test_it_refuses_leaves_nothing_behind(house):
    house.test_it.failure = Rejected("no such project")

    with pytest.raises(Rejected):
        await house.service.create_run(NewRun(OTHER))

    assert not house.runs.rows


async def test_completing_is_noted_and_told(house):
    await house.service.accept(RUN, [result()])

    progress = await house.service.complete(RUN)

    assert progress.push.complete_asked_at == NOON
    assert progress.counts == {EntryState.PENDING: 1}
    assert house.bell.rung == 2


async def test_completing_a_run_that_nothing_was_pushed_to_asks_whether_it_exists(house):
    house.test_it.failure = Unknown("no such run")

    with pytest.raises(Unknown):
        await house.service.complete(RUN)

    house.test_it.failure = None
    assert (await house.service.complete(RUN)).push.phase is Phase.NEW


async def test_progress_tells_what_waits_longest_and_why(house):
    await house.service.accept(RUN, [result("old")])
    batch = await house.outbox.claim(NOON, MINUTE, 10)
    await house.outbox.retry_later(batch.entries, NOON + MINUTE, "503", count=True)
    house.clock.pass_(MINUTE)
    await house.service.accept(RUN, [result("new")])

    progress = await house.service.progress(RUN)

    assert progress.oldest_pending.result.external_id == "old"
    assert (progress.oldest_pending.accepted_at, progress.last_error) == (NOON, "503")


async def test_progress_tells_why_something_is_dead(house):
    await house.service.accept(RUN, [result()])
    batch = await house.outbox.claim(NOON, MINUTE, 10)
    await house.outbox.settle({batch.entries[0].id: None}, EntryState.DEAD, NOON, "poison")

    progress = await house.service.progress(RUN)

    assert (progress.counts, progress.last_error) == ({EntryState.DEAD: 1}, "poison")


async def test_progress_of_a_run_that_nothing_was_pushed_to_is_unknown(house):
    with pytest.raises(Unknown, match="results are pushed to"):
        await house.service.progress(RUN)


async def test_a_file_is_kept_before_any_result_came(house):
    digest = sha256(b"logs").hexdigest()

    kept = await house.service.keep_file(RUN, digest, pieces(b"lo", b"gs"))

    assert (kept.size, (await house.service.file(RUN, digest)).digest) == (4, digest)


async def test_a_file_that_is_too_large_or_another_is_refused(house):
    with pytest.raises(Rejected):
        await house.service.keep_file(RUN, "0" * 64, pieces(b"logs"))
    with pytest.raises(TooLarge):
        await house.service.keep_file(RUN, "0" * 64, pieces(b"x" * 1_000_001))


@pytest.mark.parametrize("digest", ["", "0" * 63, "G" * 64, "A" * 64, "\u0660" * 64])
async def test_a_digest_that_is_none_is_refused(house, digest):
    with pytest.raises(Rejected, match=r"^digest: expected SHA-256"):
        await house.service.keep_file(RUN, digest, pieces(b""))
    with pytest.raises(Rejected, match=r"^digest: expected SHA-256"):
        await house.service.file(RUN, digest)


async def test_a_file_that_the_run_does_not_have_is_unknown(house):
    with pytest.raises(Unknown):
        await house.service.file(RUN, "0" * 64)


async def test_a_result_is_stored_as_it_was_given(house):
    given = result(message="m", labels=["a"], parameters={"x": "1"})

    await house.service.accept(RUN, [given])

    (stored,) = await house.stored()
    assert msgspec.structs.asdict(stored) == msgspec.structs.asdict(given)


async def test_the_newer_of_two_defaults_does_not_change_what_was_accepted(house):
    await house.service.accept(RUN, [result("a")], configuration_id=CHROME)
    later = replace(house.service, defaults=Defaults(PROJECT, FIREFOX))

    await later.accept(RUN, [result("b")])

    assert [each.configuration_id for each in await house.stored()] == [CHROME, None]
    assert (await house.outbox.push(RUN)).configuration_id == CHROME


class TestAnIdInAnotherCase:
    """Test IT takes a run's id in any case: it is the same run."""

    RUN, LOUD = "1111111a-1111-4111-8111-11111111111b", "1111111A-1111-4111-8111-11111111111B"
    DIGEST = sha256(b"logs").hexdigest()

    async def test_results_of_either_are_one_push(self, house):
        await house.service.accept(self.RUN, [result(key="k")])

        accepted = await house.service.accept(self.LOUD, [result(key="k")])

        assert (accepted.new, accepted.known) == (0, 1)
        assert set(house.outbox.pushes) == set(house.runs.rows) == {self.RUN}

    async def test_completing_it_ends_the_same_push(self, house):
        await house.service.accept(self.RUN, [result()])

        progress = await house.service.complete(self.LOUD)

        assert (progress.push.run_id, progress.counts) == (self.RUN, {EntryState.PENDING: 1})

    async def test_its_progress_is_that_of_the_same_push(self, house):
        await house.service.accept(self.LOUD, [result()])

        assert (await house.service.progress(self.RUN)).push.run_id == self.RUN
        assert (await house.service.progress(self.LOUD)).push.run_id == self.RUN

    async def test_its_files_are_those_of_the_same_push(self, house):
        await house.service.keep_file(self.LOUD, self.DIGEST, pieces(b"logs"))
        file = AttachmentRef(digest=self.DIGEST, name="log.txt")

        attached = await house.service.attach(self.LOUD, [file])

        assert [each.name for each in attached] == ["log.txt"]
        assert (await house.service.file(self.LOUD, self.DIGEST)).run_id == self.RUN
        assert await house.service.run_files(self.RUN) == attached

    async def test_projects_and_configurations_are_the_same_too(self, house):
        loud = "AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA"

        await house.service.accept(self.RUN, [result("a")], loud, loud)
        await house.service.accept(self.RUN, [result("b", configuration_id=loud)])

        assert (await house.outbox.push(self.RUN)).project_id == loud.lower()
        assert {each.configuration_id for each in await house.stored()} == {loud.lower()}


@pytest.mark.parametrize("field", ["started_at", "finished_at"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
async def test_a_moment_that_cannot_be_written_in_utc_is_refused_by_name(house, field, moment):
    impossible = result(**{field: datetime.fromisoformat(moment)})

    with pytest.raises(
        Rejected, match=rf"^results\[1\]\.{field}: expected .* UTC, found {moment[:4]}"
    ):
        await house.service.accept(RUN, [result(), impossible])

    assert not await house.stored()


@pytest.mark.parametrize("act", ["accept", "complete"])
async def test_a_run_that_test_it_does_not_know_leaves_nothing_behind(act):
    house = House(Defaults(None, CHROME))
    house.test_it.failure = Unknown("no such run")

    with pytest.raises(Unknown):
        await (
            house.service.complete(RUN)
            if act == "complete"
            else house.service.accept(RUN, [result()])
        )

    assert not house.runs.rows
    assert not house.outbox.pushes
