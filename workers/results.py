"""Held results become final: the queue `results`."""

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
