"""Catalogues come into step: the queue `catalogue`."""

from workers.app import app
from workers.loop import run


@app.task(name="catalogue.work_due")
def work_due() -> int:
    """Carry out units of syncs that are due."""
    return run(lambda services: services.catalogue.executor.work_due())


@app.task(name="catalogue.start_due")
def start_due() -> int:
    """Begin the syncs whose moment in the timetable has come."""
    return run(lambda services: services.catalogue.syncs.start_due())


@app.task(name="catalogue.reap")
def reap() -> int:
    """Close syncs that nobody works on any more."""
    return run(lambda services: services.catalogue.syncs.reap())
