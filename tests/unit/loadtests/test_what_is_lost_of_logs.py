"""Logs are called complete only when no runner can have left one that was not read."""

import pytest

from syncsvc.loadtests.finishing import with_logs
from syncsvc.loadtests.model import LogsState, Phase
from syncsvc.loadtests.ports import KeptLog, LogSource
from syncsvc.loadtests.seen import Role
from tests.support.builders import NOON
from tests.unit.loadtests.lives import a_step

INITIALIZER = KeptLog(
    LogSource("s1", "p0", "init", "k6", role=Role.INITIALIZER), state=LogsState.COMPLETE
)
FIRST = KeptLog(LogSource("s1", "p1", "one", "k6", index=1), state=LogsState.COMPLETE)


@pytest.mark.parametrize(
    ("known", "logs", "detail"),
    [
        ({"phase": Phase.ERROR}, [INITIALIZER], None),
        ({"phase": Phase.FINISHED, "started_at": NOON, "expected": 1}, [FIRST], None),
        (
            {"phase": Phase.FINISHED, "started_at": NOON},
            [FIRST],
            "runner 2 of 2: its pod was gone before its log was read",
        ),
        (
            {"phase": Phase.GONE},
            [INITIALIZER],
            "runner 1, 2 of 2: whether it ran was not seen before all was gone",
        ),
        ({"phase": Phase.GONE}, [], "no container of it was seen before its pods were gone"),
    ],
)
def test_logs_that_may_be_missing_are_named(known, logs, detail):
    step = with_logs(a_step(**({"expected": 2} | known)), logs, is_read=True)

    assert step.logs is (LogsState.LOST if detail else LogsState.COMPLETE)
    assert step.logs_detail == detail
