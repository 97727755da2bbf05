"""What is older than its life goes: the queue `upkeep`."""

from datetime import timedelta

from syncsvc.wiring.moments import now
from workers.app import app
from workers.loop import run

LIFE = timedelta(days=30)


@app.task(name="upkeep.forget_old")
def forget_old() -> int:
    """Remove results delivered longer ago than their life, and runs without any."""
    return run(lambda services: services.ledger.forget(LIFE))


@app.task(name="upkeep.forget_test_data")
def forget_test_data() -> int:
    """Remove test data that nobody wrote for its life and nobody uses."""
    return run(lambda services: services.test_data_upkeep.forget_old())


@app.task(name="upkeep.forget_old_syncs")
def forget_old_syncs() -> int:
    """Remove the record of syncs that ended longer ago than their life."""
    return run(lambda services: services.catalogue.syncs.forget(LIFE))


@app.task(name="upkeep.forget_old_load_tests")
def forget_old_load_tests() -> int:
    """Remove load tests that ended longer ago than their life, with their logs."""
    return run(lambda services: services.watch.tests.forget(now() - LIFE))
