"""What beat asks for exists, goes to a queue that is served, and every setting is as meant."""

import asyncio
import inspect

import pytest

import beat_schedule
from syncsvc.adapters.tasks import DELIVER_DUE, QUEUES
from syncsvc.cli.processes import worker
from syncsvc.settings import load
from workers.app import app, celery_config
from workers.loop import LONGEST_TASK, ProcessLoop


@pytest.fixture(scope="module", autouse=True)
def tasks():
    app.loader.import_default_modules()


@pytest.mark.parametrize("entry", beat_schedule.TIMETABLE.values(), ids=beat_schedule.TIMETABLE)
def test_every_entry_of_the_timetable_names_a_task_and_a_queue_that_exist(entry):
    assert entry["task"] in app.tasks
    assert entry["queue"] in QUEUES
    assert entry["task"].split(".")[0] == entry["queue"]


def test_the_nudge_names_a_task_that_exists():
    assert DELIVER_DUE in app.tasks


def test_every_task_is_named_by_its_queue_and_ignores_its_result():
    ours = [task for task in app.tasks.values() if task.__module__.startswith("workers.")]

    assert len(ours) >= 3
    for task in ours:
        assert task.name.split(".")[0] in QUEUES
        assert task.ignore_result
        assert task.acks_late


def test_a_task_worker_serves_every_queue_unless_it_is_told_otherwise():
    served: str = inspect.signature(worker).parameters["queues"].default

    assert served.split(",") == list(QUEUES)


def test_a_message_outlives_the_longest_task():
    transport = celery_config(load())["broker_transport_options"]

    assert transport["visibility_timeout"] > LONGEST_TASK


def test_only_json_is_spoken():
    config = celery_config(load())

    assert (config["task_serializer"], config["accept_content"]) == ("json", ["json"])


def test_rabbitmq_gets_no_redis_options():
    config = celery_config(load(broker_url="amqp://guest@localhost//"))

    assert config["broker_transport_options"] == {"confirm_publish": True}


class Services:
    """Services that note the loop they live on, and whether they were closed."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed = False

    async def close(self) -> None:
        self.closed = True


def test_all_tasks_of_a_process_share_one_loop_and_its_services():
    process = ProcessLoop(Services)

    async def story(services):
        return services, asyncio.get_running_loop()

    first, second = process.run(story), process.run(story)
    process.stop()

    assert first == second
    assert first[0].loop is first[1]
    assert first[0].closed


def test_a_story_that_fails_tells_its_task_and_the_loop_lives_on():
    process = ProcessLoop(Services)

    async def fails(_services):
        raise ValueError("no")

    async def works(_services):
        return 1

    with pytest.raises(ValueError, match="no"):
        process.run(fails)
    assert process.run(works) == 1
    process.stop()


def test_stopping_what_never_ran_is_no_error():
    ProcessLoop(Services).stop()
