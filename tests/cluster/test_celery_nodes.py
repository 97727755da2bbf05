"""Our Celery application in pytest-celery's nodes: it serves, and goes on after a loss."""

import asyncio
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pytest_celery import CeleryBrokerCluster

from syncsvc.embedded.valkey import find_server
from syncsvc.results.held.model import Cut
from syncsvc.runs.model import Destination, Run
from syncsvc.settings import Settings
from syncsvc.stores.sql.migrate import migrate
from syncsvc.wiring.services import Stores
from tests.support.nodes import (
    IN_CONTAINERS,
    Cluster,
    ValkeyNode,
    WorkerNode,
    need_engine,
    valkey_node,
    worker_node,
)
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

DELIVER = "results.deliver_due"
NOWHERE = "http://127.0.0.1:1"  # refuses every connection
SOON = {"visibility_timeout": 2, "unacked_restore_interval": 1, "unacked_restore_throttle": 1}

if IN_CONTAINERS:

    @pytest.fixture(autouse=True, scope="session")
    def engine() -> None:
        """Ask before any of the plugin's own fixtures do."""
        need_engine()

else:

    @pytest.fixture
    def default_redis_broker(tmp_path) -> Iterator[ValkeyNode]:
        binary = asyncio.run(find_server(Settings()))
        with valkey_node(binary, tmp_path) as node:
            yield node


@pytest.fixture
def celery_broker_cluster(celery_redis_broker) -> CeleryBrokerCluster:
    return CeleryBrokerCluster(celery_redis_broker)


@pytest.fixture
def celery_backend_cluster() -> None:
    """Have none: what happened is in SQL."""


@pytest.fixture
def celery_setup_cls() -> type[Cluster]:
    return Cluster


@pytest.fixture
def settings(tmp_path, celery_broker_cluster) -> Settings:
    (url,) = celery_broker_cluster.config()["host_urls"]
    return Settings(data_dir=tmp_path, redis_url=url)


@pytest.fixture
def default_worker_container(tmp_path, settings) -> Iterator[WorkerNode]:
    environment = {
        "SYNCSVC_DATA_DIR": str(settings.data_dir),
        "SYNCSVC_REDIS_URL": settings.redis,
    }
    options = f"broker_transport_options=(json){json.dumps(SOON)}"
    with worker_node(tmp_path, environment, "--", options) as node:
        yield node


@pytest.fixture
def silent_test_it() -> Iterator[socket.socket]:
    """Listen, take connections and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        yield listening


def test_the_cluster_is_ready_for_tasks_and_for_control(celery_setup):
    assert celery_setup.ready(ping=True, control=True)


def test_a_task_that_is_sent_by_name_runs_and_says_what_it_did(celery_setup, settings):
    asyncio.run(owe_a_result(settings, "run-1", NOWHERE))

    celery_setup.app.send_task(DELIVER, queue="results")

    line = until(lambda: line_of(celery_setup.worker.logs(), "run-1"), "the task has logged")
    assert line["event"] == "tried again later"
    assert "Test IT did not answer" in line["reason"]


def test_a_task_whose_worker_is_killed_runs_again(celery_setup, settings, silent_test_it):
    host, port = silent_test_it.getsockname()
    asyncio.run(owe_a_result(settings, "run-1", f"http://{host}:{port}"))
    celery_setup.app.send_task(DELIVER, queue="results")
    connection, _ = silent_test_it.accept()

    with connection:
        celery_setup.worker.kill()
    taken = celery_setup.unacknowledged()
    celery_setup.worker.restart()

    until(lambda: celery_setup.ran(DELIVER) >= 1, "the task has run again")
    until(lambda: celery_setup.unacknowledged() == 0, "the task is done", 60)
    assert taken == 1


def test_a_worker_goes_on_after_its_broker_was_restarted(celery_setup):
    celery_setup.broker.restart()

    assert celery_setup.ready(ping=True, control=True)


async def owe_a_result(settings: Settings, run_id: str, base_url: str) -> None:
    """Leave a held result that is due at once, for a Test IT at this address."""
    stores = Stores.open(settings)
    now = datetime.now(UTC)
    try:
        await migrate(stores.database)
        await stores.runs.put(Run(run_id, Destination(base_url, "token"), created_at=now))
        await stores.outbox.hold(Cut(run_id, "held", "Passed", "Succeeded"), now)
        await stores.outbox.release(run_id, now, forced=True)
    finally:
        await stores.close()


def line_of(log: str, run_id: str) -> dict | None:
    """Find what a worker's log says of a run."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return next((line for line in lines if line.get("run") == run_id), None)
