import pytest

from syncsvc.catalogue.model import ErrorClass, SyncPhase
from syncsvc.catalogue.outcomes import Overheard, endless, root_of, step_after
from syncsvc.catalogue.ports import Broken, Misshapen
from syncsvc.catalogue.spending import BudgetSpent, Spending
from syncsvc.catalogue.work import Done, Failed, Later, ProductGone
from syncsvc.errors import Conflict, Denied, Rejected, SyncsvcError, Unavailable, Unknown
from tests.support.builders import NOON, SECOND
from tests.support.catalogue import MemorySource, product
from tests.support.desks import a_unit

PAUSED = Unavailable("429", retry_after=90 * SECOND)


async def after(error: SyncsvcError, phase=SyncPhase.FEATURES, **more: object):
    """Give what becomes of a unit when its source answers so."""
    source = MemorySource().add(product(1))
    source.fail(error)
    heard = Overheard(source)
    product_id = None if phase is SyncPhase.PRODUCTS else 1
    asked = {
        SyncPhase.PRODUCTS: lambda: heard.products(None, Spending(9)),
        SyncPhase.FEATURES: lambda: heard.features(1, Spending(9), with_stories=True),
        SyncPhase.NEW_TESTS: lambda: heard.tests(1, 1, 25, Spending(9)),
    }
    with pytest.raises(type(error)):
        await asked[phase]()
    return step_after(error, a_unit(phase, product_id, **more), heard, NOON)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Denied("401"), ErrorClass.AUTH),
        (BudgetSpent("too many"), ErrorClass.BUDGET),
        (Broken("500"), ErrorClass.UNAVAILABLE),
        (Unavailable("503"), ErrorClass.UNAVAILABLE),
        (Misshapen("products: expected a list"), ErrorClass.SHAPE),
        (Rejected("422"), ErrorClass.REFUSED),
        (SyncsvcError("another"), ErrorClass.OURS),
    ],
)
async def test_a_source_that_fails_gives_the_unit_the_class_of_its_error(error, kind):
    step = await after(error)

    assert step.outcome == Failed(kind, str(error))


@pytest.mark.parametrize("phase", [SyncPhase.FEATURES, SyncPhase.NEW_TESTS])
async def test_a_product_that_the_server_does_not_know_becomes_inactive(phase):
    step = await after(Unknown("404"), phase)

    assert step.found == [ProductGone(1)]
    assert step.warnings == ()  # the store warns, once for each product
    assert step.outcome == Done()


async def test_a_list_of_products_that_the_server_does_not_know_is_refused():
    step = await after(Unknown("404"), SyncPhase.PRODUCTS)

    assert step.outcome == Failed(ErrorClass.REFUSED, "404")


async def test_a_single_test_that_is_unknown_does_not_make_its_product_inactive():
    heard = Overheard(MemorySource().add(product(1)))
    with pytest.raises(Unknown) as caught:
        await heard.test(1, 7, Spending(9))

    step = step_after(caught.value, a_unit(SyncPhase.NEW_TESTS, 1), heard, NOON)

    assert step.found == ()
    assert step.outcome == Failed(ErrorClass.REFUSED, "test 7: 404")


async def test_a_pause_that_was_asked_for_puts_the_unit_off():
    step = await after(PAUSED, attempt=3)

    assert step.outcome == Later(NOON + 90 * SECOND, "429", is_setback=True)


async def test_a_unit_that_was_put_off_twenty_times_has_failed():
    step = await after(PAUSED, attempt=20)

    assert step.outcome == Failed(ErrorClass.UNAVAILABLE, "429 (after 20 attempts)")


def test_a_store_that_was_away_for_a_moment_puts_the_unit_off():
    error = Unavailable("database is locked")

    step = step_after(error, a_unit(SyncPhase.FEATURES, 1), Overheard(MemorySource()), NOON)

    assert step.outcome == Later(NOON + 5 * SECOND, "database is locked", is_setback=True)


def test_an_unknown_of_our_own_makes_no_product_inactive():
    error = Unknown("no such run")

    step = step_after(error, a_unit(SyncPhase.FEATURES, 1), Overheard(MemorySource()), NOON)

    assert step.found == ()
    assert step.outcome == Failed(ErrorClass.REFUSED, "no such run")


def test_a_unit_that_ends_its_process_each_time_is_given_up_after_ten_claims():
    kept, given_up = (a_unit(SyncPhase.FEATURES, 1, attempt=attempt) for attempt in (10, 11))

    assert endless(kept) is None
    text = "claimed 10 times without an end: its process has died each time"
    assert endless(given_up) == Failed(ErrorClass.OURS, text)


def test_a_unit_with_setbacks_may_be_claimed_twenty_times():
    kept, given_up = (
        a_unit(SyncPhase.FEATURES, 1, attempt=attempt, error="429") for attempt in (20, 21)
    )

    assert endless(kept) is None
    assert endless(given_up) == Failed(ErrorClass.UNAVAILABLE, "429 (after 20 attempts)")


def test_of_errors_that_came_together_a_denial_counts_first_and_then_those_we_know():
    defect, conflict, denied = KeyError("x"), Conflict("later"), Denied("401")

    assert root_of(ExceptionGroup("", [defect, conflict, denied])) is denied
    assert root_of(ExceptionGroup("", [defect, ExceptionGroup("", [conflict])])) is conflict
    assert root_of(defect) is defect
