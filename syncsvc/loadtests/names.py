"""Names that Kubernetes takes: the field, what was found and what is expected are told."""

import re
from collections.abc import Iterable

from syncsvc.errors import Rejected

LABEL, SUBDOMAIN = 63, 253  # the longest
TEXT = 200
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")


def check_test_run(field: str, name: str) -> None:
    """Raises Rejected for what can be no TestRun's name."""
    if len(name) > SUBDOMAIN or _SUBDOMAIN.fullmatch(name) is None:
        raise Rejected(
            f"{field}: expected the name of a TestRun (a-z, 0-9, '-' and '.', at most "
            f"{SUBDOMAIN}), found {name[:80]!r}"
        )


def check_namespace(field: str, name: str) -> None:
    """Raises Rejected for what can be no namespace's name."""
    if len(name) > LABEL or _LABEL.fullmatch(name) is None:
        raise Rejected(
            f"{field}: expected a namespace (a-z, 0-9 and '-', at most {LABEL}), "
            f"found {name[:80]!r}"
        )


def check_text(field: str, text: str) -> None:
    """Raises Rejected for a name of ours that is empty, too long or not to be printed."""
    if not text.strip() or len(text) > TEXT or not text.isprintable():
        raise Rejected(f"{field}: expected 1 to {TEXT} printable characters, found {text[:80]!r}")


def check_once(field: str, names: Iterable[str]) -> None:
    """Raises Rejected for a name that comes twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Rejected(f"{field}: expected each once, found {name[:80]!r} twice")
        seen.add(name)
