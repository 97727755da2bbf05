"""What runs by itself, and how often: the timetable that beat keeps.

Each entry is keyed by what a person would say. `every` is in seconds; a tick that no task
worker has taken up by the time the next one is due is dropped, so ticks never pile up.
"""

from typing import TypedDict


class Entry(TypedDict):
    task: str
    every: float
    queue: str


TIMETABLE: dict[str, Entry] = {
    "finish runs whose workers are done": {
        "task": "results.release_finished",
        "every": 1.0,
        "queue": "results",
    },
    "deliver what is due": {
        "task": "results.deliver_due",
        "every": 1.0,
        "queue": "results",
    },
    "deliver pushed results": {
        "task": "results.push_due",
        "every": 1.0,
        "queue": "results",
    },
    "end runs whose pushed results are all there": {
        "task": "results.end_pushed",
        "every": 1.0,
        "queue": "results",
    },
    "go on with syncs": {
        "task": "catalogue.work_due",
        "every": 1.0,
        "queue": "catalogue",
    },
    "begin syncs that are due": {
        "task": "catalogue.start_due",
        "every": 5.0,
        "queue": "catalogue",
    },
    "close syncs whose processes are gone": {
        "task": "catalogue.reap",
        "every": 10.0,
        "queue": "catalogue",
    },
    "look at load tests": {
        "task": "loadtests.poll",
        "every": 1.0,
        "queue": "loadtests",
    },
    "forget what is older than its life": {
        "task": "upkeep.forget_old",
        "every": 3600.0,
        "queue": "upkeep",
    },
    "forget old syncs": {
        "task": "upkeep.forget_old_syncs",
        "every": 3600.0,
        "queue": "upkeep",
    },
    "forget old load tests": {
        "task": "upkeep.forget_old_load_tests",
        "every": 3600.0,
        "queue": "upkeep",
    },
    "forget test data nobody uses": {
        "task": "upkeep.forget_test_data",
        "every": 600.0,
        "queue": "upkeep",
    },
}
