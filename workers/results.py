"""Held results become final, and pushed ones are delivered: the queue `results`."""

from workers.app import app
from workers.loop import run


@app.task(name="results.release_finished")
def release_finished() -> int:
    """Make due what runs hold whose workers are done."""
    return run(lambda services: services.delivery.release_finished())


@app.task(name="results.deliver_due")
def deliver_due() -> int:
    """Try every due outbox entry once."""
    return run(lambda services: services.delivery.deliver_due())


@app.task(name="results.push_due")
def push_due() -> int:
    """Deliver pushed results that are due."""
    return run(lambda services: services.pushing.deliver_due())


@app.task(name="results.end_pushed")
def end_pushed() -> int:
    """End the runs whose pushed results are all delivered."""
    return run(lambda services: services.pushing.end_finished())
