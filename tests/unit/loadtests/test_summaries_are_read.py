"""The end-of-test summary, in every way that k6 gives it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsvc.loadtests.summary import summary
from syncsvc.loadtests.summary_rows import Row, measured

OLD = """
     █ basket

       ✓ is added
       ✗ has a price
        ↳  75% — ✓ 3 / ✗ 1

   ✓ checks.........................: 87.50% ✓ 7        ✗ 1
     data_received..................: 1.2 MB 43 kB/s
     group_duration.................: avg=1m2.5s   min=893.46µs med=2.37ms p(90)=1h0m1s
   ✗ http_req_duration..............: avg=3.14ms   min=-1.5ms max=6s p(99.9)=6.24ms
       { expected_response:true }...: avg=3ms      min=1ms
     http_req_failed................: 12.33% ✓ 1        ✗ 7
     http_reqs......................: 8       3.962548/s
     prices.........................: avg=152.355556 min=120      med=141
     vus............................: 2       min=1      max=5
"""

NEW = """
  █ THRESHOLDS

    http_req_duration
    ✗ 'p(95)<10' p(95)=100.19ms
    ✓ 'avg<200' avg=26.05ms

    http_req_failed{status:500}
    ✓ 'rate<0.01' rate=0.00%


  █ TOTAL RESULTS

    checks_total.......: 24      7.540824/s
    checks_succeeded...: 66.66%  16 out of 24
    checks_failed......: 33.33%  8 out of 24

    ✓ status 200

    HTTP
    http_req_duration..............: avg=26.05ms  min=2.55ms
      { expected_response:true }...: avg=25ms     min=2.55ms
    http_req_failed................: 8.33%  1 out of 12

    NETWORK
    data_sent......................: 852 B  268 B/s

  █ GROUP: basket

    ✗ is added
     ↳  50% — ✓ 1 / ✗ 1

    http_req_duration..............: avg=20ms
"""


def read(log: str | bytes) -> dict[tuple, Row]:
    raw = log if isinstance(log, bytes) else log.encode()
    rows = summary(raw)
    return {(row.metric, row.scope, row.stat, row.threshold): row for row in rows}


def value(rows, metric, stat, scope="") -> tuple[float | None, str]:
    row = rows[metric, scope, stat, None]
    return row.value, row.unit


@pytest.mark.parametrize(
    ("metric", "stat", "expected"),
    [
        ("checks", "rate", (0.875, "rate")),
        ("checks", "passes", (7, "")),
        ("data_received", "count", (1_200_000, "bytes")),
        ("data_received", "rate", (43_000, "bytes/s")),
        ("group_duration", "avg", (62_500, "ms")),
        ("group_duration", "min", (0.89346, "ms")),
        ("group_duration", "p(90)", (3_601_000, "ms")),
        ("http_req_duration", "min", (-1.5, "ms")),
        ("http_req_duration", "max", (6_000, "ms")),
        ("http_req_duration", "p(99.9)", (6.24, "ms")),
        ("http_reqs", "count", (8, "")),
        ("http_reqs", "rate", (3.962548, "1/s")),
        ("prices", "avg", (152.355556, "")),
        ("vus", "value", (2, "")),
        ("vus", "max", (5, "")),
    ],
)
def test_the_old_summary_gives_numbers_in_base_units(metric, stat, expected):
    assert value(read(OLD), metric, stat) == expected


def test_a_rate_is_as_exact_as_its_counts():
    rows = read(OLD)

    assert value(rows, "http_req_failed", "rate") == (0.125, "rate")
    assert value(rows, "http_req_failed", "passes") == (1, "")


def test_the_marks_of_the_old_summary_are_thresholds_of_metrics_and_not_of_rates():
    rows = read(OLD)

    marked = {row.metric: row.ok for row in rows.values() if row.threshold}
    assert marked == {"checks": True, "http_req_duration": False}


def test_checks_are_counted_with_their_group():
    rows = read(OLD)

    assert rows["check", "::basket::is added", "rate", None].ok is True
    assert value(rows, "check", "rate", "::basket::has a price") == (0.75, "rate")
    assert rows["check", "::basket::has a price", "fails", None].ok is False


def test_a_selector_belongs_to_the_metric_above_it():
    scope = "{expected_response:true}"

    assert value(read(OLD), "http_req_duration", "avg", scope) == (3, "ms")
    assert value(read(NEW), "http_req_duration", "avg", scope) == (25, "ms")


def test_the_new_summary_names_each_threshold_with_what_was_found():
    thresholds = [row for row in summary(NEW.encode()) if row.threshold]

    assert thresholds == [
        Row("http_req_duration", "p(95)", 100.19, "ms", "", "p(95)<10", ok=False),
        Row("http_req_duration", "avg", 26.05, "ms", "", "avg<200", ok=True),
        Row("http_req_failed", "rate", 0.0, "rate", "{status:500}", "rate<0.01", ok=True),
    ]


def test_the_new_summary_calls_checks_as_the_old_one_did():
    rows = read(NEW)

    assert value(rows, "checks", "rate") == (16 / 24, "rate")
    assert value(rows, "checks", "fails") == (8, "")
    assert value(rows, "checks_total", "count") == (24, "")
    assert not [key for key in rows if key[0] in ("checks_succeeded", "checks_failed")]


def test_a_group_of_the_new_summary_narrows_its_metrics():
    rows = read(NEW)

    assert value(rows, "http_req_duration", "avg") == (26.05, "ms")
    assert value(rows, "http_req_duration", "avg", "::basket") == (20, "ms")
    assert value(rows, "check", "rate", "::basket::is added") == (0.5, "rate")


def noisy(text: str) -> bytes:
    """Give a summary as it stands in a pod's log: moments, colours, and others' lines."""
    noise = [
        'time="2026-11-21T02:52:21Z" level=info msg="http_reqs......: 9  9/s" source=console',
        "running (0m01.0s), 1/1 VUs, 0 complete and 0 interrupted iterations",
        "default   [  10% ] 1 VUs  0m01.0s/10s",
    ]
    lines = [
        each
        for line in text.split("\n")
        for each in (line.replace("✗", "\x1b[31m✗\x1b[0m"), *noise)
    ]
    return "".join(f"2026-11-21T02:52:21.5Z {line}\r\n" for line in lines).encode()


@pytest.mark.parametrize("text", [OLD, NEW], ids=["old", "new"])
def test_colours_moments_line_ends_and_lines_in_between_change_nothing(text):
    assert summary(noisy(text)) == summary(text.encode())


def test_of_two_summaries_the_last_is_read():
    rows = read(NEW.replace("26.05ms", "1ms") + NEW)

    assert value(rows, "http_req_duration", "avg") == (26.05, "ms")


HANDLED = {
    "metrics": {
        "http_req_duration": {
            "type": "trend",
            "contains": "time",
            "values": {"avg": 26.5, "p(95)": 100.25},
            "thresholds": {"p(95)<10": {"ok": False}, "avg<200": {"ok": True}},
        },
        "checks": {"type": "rate", "contains": "default", "values": {"rate": 0.5, "passes": 1}},
        "data_sent": {"type": "counter", "contains": "data", "values": {"count": 8, "rate": 2}},
    }
}

EXPORTED = {
    "metrics": {
        "http_req_duration": {"avg": 26.5, "thresholds": {"p(95)<10": True, "avg<200": False}},
        "checks": {"value": 0.5, "passes": 1, "fails": 1},
    }
}


@pytest.mark.parametrize("indent", [None, 2])
def test_what_a_script_prints_of_its_summary_is_read(indent):
    rows = read("hello\n" + json.dumps(HANDLED, indent=indent) + "\nbye\n")

    assert value(rows, "http_req_duration", "avg") == (26.5, "ms")
    assert value(rows, "checks", "rate") == (0.5, "rate")
    assert value(rows, "data_sent", "rate") == (2, "bytes/s")
    assert rows["http_req_duration", "", "p(95)", "p(95)<10"] == Row(
        "http_req_duration", "p(95)", 100.25, "ms", "", "p(95)<10", ok=False
    )
    assert rows["http_req_duration", "", "avg", "avg<200"].ok is True


def test_in_an_export_true_means_crossed():
    rows = read(json.dumps(EXPORTED))

    assert rows["http_req_duration", "", "p(95)", "p(95)<10"].ok is False
    assert rows["http_req_duration", "", "avg", "avg<200"].ok is True
    assert value(rows, "checks", "rate") == (0.5, "rate")


def test_without_a_summary_k6_still_says_what_was_crossed():
    log = "level=error msg=\"thresholds on metrics 'my_trend, http_reqs{a:b}' have been crossed\"\n"

    rows = summary(log.encode())

    assert [(row.metric, row.scope, row.ok) for row in rows] == [
        ("my_trend", "", False),
        ("http_reqs", "{a:b}", False),
    ]


def test_a_log_without_a_summary_has_none():
    assert summary(b"hello\n    \xe2\x9c\x93 done\n{}\n") == []


@given(st.lists(st.sampled_from([*OLD.split("\n"), *NEW.split("\n"), "{", "}", '{"metrics":1}'])))
def test_any_torn_summary_is_read_without_complaint(lines):
    summary("\n".join(lines).encode())


@pytest.mark.parametrize("text", ["", "x", "12 apples", "1.2.3", "5%%", "-", "1kB/h"])
def test_what_is_no_number_is_none(text):
    assert measured(text) is None
