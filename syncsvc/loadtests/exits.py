"""What a runner's end means: k6's exit codes, and Kubernetes' words for what k6 did not choose."""

from collections.abc import Iterable

from syncsvc.loadtests.model import Reason, Result, Runner, RunnerState

CODES = {
    97: Reason.CLOUD,
    98: Reason.CLOUD,
    99: Reason.THRESHOLDS,
    100: Reason.SETUP_TIMEOUT,
    101: Reason.TEARDOWN_TIMEOUT,
    102: Reason.TIMEOUT,
    103: Reason.ABORTED_BY_API,
    104: Reason.INVALID_CONFIG,
    106: Reason.REST_API,
    107: Reason.SCRIPT,
    108: Reason.ABORTED_BY_SCRIPT,
    109: Reason.PANIC,
    110: Reason.MARKED_FAILED,
}
SIGNALLED = 105  # k6 was asked to end, and did
KILLED = 128  # from here on: by a signal, or never started

SOFT = (Reason.ABORTED_BY_API, Reason.SIGNAL, Reason.DELETED)

WORDS = {
    Reason.OOM: "out of memory",
    Reason.EVICTED: "evicted",
    Reason.INFRA: "killed from outside",
    Reason.RUNNER_LOST: "lost: its pod was gone before it told how it ended",
    Reason.PANIC: "k6 panicked",
    Reason.INVALID_CONFIG: "its configuration is not valid",
    Reason.REST_API: "the port of its REST API was taken",
    Reason.CLOUD: "the cloud refused or ended it",
    Reason.SCRIPT: "the script failed in its init or setup",
    Reason.SETUP_TIMEOUT: "setup took too long",
    Reason.TEARDOWN_TIMEOUT: "teardown took too long",
    Reason.TIMEOUT: "something took too long",
    Reason.EXIT_CODE: "a code that k6 gives no meaning",
    Reason.ABORTED_BY_SCRIPT: "aborted by the script",
    Reason.MARKED_FAILED: "marked as failed by the script",
    Reason.THRESHOLDS: "thresholds were crossed",
    Reason.ABORTED_BY_API: "stopped through its REST API",
    Reason.SIGNAL: "stopped by a signal",
    Reason.DELETED: "deleted while it ran",
}


def reason_of(runner: Runner) -> Reason | None:
    """Say why a runner that is over did not succeed; None: it did."""
    if runner.state is RunnerState.LOST:
        return Reason.RUNNER_LOST
    code = runner.exit_code
    if code == 0:
        return None
    if code is None or code == SIGNALLED or code >= KILLED:
        return _killed(runner)
    return CODES.get(code, Reason.EXIT_CODE)


def _killed(runner: Runner) -> Reason:
    by_name = {"OOMKilled": Reason.OOM, "Evicted": Reason.EVICTED}
    if runner.reason in by_name:
        return by_name[runner.reason]
    if runner.was_deleted:
        return Reason.DELETED
    by_itself = runner.exit_code == SIGNALLED and runner.reason in (None, "Error")
    return Reason.SIGNAL if by_itself else Reason.INFRA


def result_of(reason: Reason | None) -> Result:
    if reason is None:
        return Result.SUCCEEDED
    return Result.CANCELLED if reason in SOFT else Result.FAILED


def hardness(reason: Reason | None) -> int:
    """Order reasons: the first of the enumeration outweigh all others, none weighs nothing."""
    return 0 if reason is None else len(Reason) - list(Reason).index(reason)


def hardest(reasons: Iterable[Reason | None]) -> Reason | None:
    return max(reasons, key=hardness, default=None)


def told(index: int, runner: Runner | None, reason: Reason, of: int) -> str:
    """Say of one runner how it ended, for a person."""
    how = ""
    if runner is not None and runner.exit_code is not None:
        how = f" exited {runner.exit_code}"
    kubernetes = runner.reason if runner is not None else None
    also = f" ({kubernetes})" if kubernetes not in (None, "Error", "Completed") else ""
    return f"runner {index} of {of}{how}{also}: {WORDS[reason]}"
