"""A report gets there whole although Test IT turns posts of results away again and again."""

import json
import subprocess
import sys

import pytest

from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

CASES, REFUSED = 100, 20


def test_a_hundred_cases_are_delivered_though_twenty_posts_are_answered_503(stack, tmp_path):
    report = tmp_path / "junit.xml"
    report.write_text(junit())
    turned_away = {"kind": "status", "code": 503, "method": "POST", "times": REFUSED}

    with stack.misbehaving(turned_away | {"pattern": "/(testResults|test-results)$"}):
        pushed = push(stack, str(report))
        struck = stack.strikes()

    assert struck == [REFUSED]
    assert pushed.returncode == 0, pushed.stderr
    told = json.loads(pushed.stdout)
    run = stack.closed(told["run"])
    assert len({result["external_id"] for result in run["results"]}) == CASES
    assert [result["finalised"] for result in run["results"]] == [1] * CASES
    assert len(run["completions"]) == 1


def push(stack, report: str) -> subprocess.CompletedProcess[str]:
    command = ["results", "push", report, "--json", "--timeout", "200s"]
    return subprocess.run(
        [sys.executable, "-m", "syncsvc", *command],
        env={
            **stack.environment,
            "SYNCSVC_API_URL": stack.api,
            "TMS_PROJECT_ID": str(PROJECT_ID),
            "TMS_CONFIGURATION_ID": str(CONFIGURATION_ID),
        },
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )


def junit() -> str:
    cases = "".join(f'<testcase classname="shop" name="case {n}"/>' for n in range(CASES))
    return f'<testsuite name="shop">{cases}</testsuite>'
