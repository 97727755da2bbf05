"""Load tests are watched: the queue `loadtests`."""

from workers.app import app
from workers.loop import run


@app.task(name="loadtests.poll")
def poll() -> bool:
    """Run a cycle if one is due and no other process runs one; say whether it did."""
    return run(lambda services: services.watch.polling.poll()) is not None
