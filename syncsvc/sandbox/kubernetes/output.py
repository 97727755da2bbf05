"""What k6 writes: lines of a script, progress, what went wrong, and the summary at the end."""

from collections.abc import Sequence
from datetime import datetime

from syncsvc.sandbox.kubernetes.model import stamp
from syncsvc.sandbox.kubernetes.scenario import Scenario
from syncsvc.sandbox.kubernetes.summary import old_summary, summary

THRESHOLDS = 99
_ENDINGS = {
    103: ("error", "test run stopped from the REST API"),
    105: ("error", "test run was aborted because k6 received a 'terminated' signal"),
    107: ("error", "Error: no target is set at setup (file:///test/test.js:7:9(12))"),
    108: ("error", "test aborted: the target does not answer"),
    110: ("error", "test run was marked as failed"),
}
_WORDS = ("basket filled", "order placed", "page shown", 'said \\"hello\\"', "payment done")


def script_line(number: int, at: datetime) -> bytes:
    """Write what a script logs in its n-th iteration."""
    level = "error" if number % 17 == 16 else "info"
    text = f"{_WORDS[number % len(_WORDS)]}, iteration {number} of user {number % 7 + 1}"
    return _logged(level, text, at)


def progress_line(number: int) -> bytes:
    """Write what stays of a progress bar where there is no terminal."""
    share = min(5 * (number // 2), 100)
    if number % 2:
        bar = "=" * (share // 5) + ">"
        return f"\rdefault   [{bar:<21}] {share:3d}%  \x1b[36m2 VUs\x1b[0m\x1b[K".encode()
    return f"running (0m{number // 2 % 60:02d}.0s), 2/2 VUs, {number} complete".encode()


def noisy_line(number: int, at: datetime) -> bytes:
    """Write both, by turns."""
    return progress_line(number) if number % 3 else script_line(number, at)


def first_lines(scenario: Scenario, at: datetime) -> Sequence[bytes]:
    write = noisy_line if scenario.progress else script_line
    return [write(number, at) for number in range(scenario.lines)]


def last_lines(scenario: Scenario, code: int, index: int, at: datetime) -> Sequence[bytes]:
    """Write what a runner says at its end, which is nothing when it was killed."""
    if code in (137, 143, 255):
        return []
    crossed = code == THRESHOLDS
    told = []
    if crossed:
        told = [_logged("error", "thresholds on metrics 'checkout_time' have been crossed", at)]
    elif code in _ENDINGS:
        told = [_logged(*_ENDINGS[code], at)]
    if code == 107 or scenario.summary == "none":
        return told
    if scenario.summary == "v2":
        return [*told, *_encoded(summary(index, crossed=crossed))]
    return [*_encoded(old_summary(index, crossed=crossed)), *told]


def initializer_lines(scenario: Scenario, at: datetime) -> Sequence[bytes]:
    if scenario.initialization == "fails":
        text = "SyntaxError: file:///test/test.js: Unexpected token (3:14)"
        return [_logged("error", text, at)]
    vus = 1 if scenario.initialization == "too_few_vus" else 20
    return [f'{{"totalDuration":"30s","maxVUs":{vus},"thresholds":{{}}}}'.encode()]


def starter_lines(runners: int) -> Sequence[bytes]:
    return [b'{"data":{"type":"status","attributes":{"paused":false}}}'] * runners


def _logged(level: str, text: str, at: datetime) -> bytes:
    return f'time="{stamp(at)}" level={level} msg="{text}" source=console'.encode()


def _encoded(text: str) -> Sequence[bytes]:
    return text.encode().split(b"\n")
