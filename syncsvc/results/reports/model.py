"""What is read from a report, and what whoever reads one is told."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from syncsvc.errors import Rejected
from syncsvc.results.pushed.model import Result

NO_NAMESPACE = "namespace"  # testit-cli's words for what a report does not say;
NO_CLASSNAME = "classname"  # they are part of its external ids

LONGEST_LAYER = 200


class BadReport(Rejected):
    """A report cannot be read: `path:line: what was found; what was expected`."""


class NoTests(BadReport):
    """A file is well-formed, but there is no test in it."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How tests are named; the defaults are testit-cli's.

    Raises Rejected for a separator or a layer without a character, and for a layer too long.
    """

    separator: str | None = None  # splits the report's classname into namespace and classname
    namespace: str | None = None  # instead of the report's
    classname: str | None = None  # instead of the report's
    layer: str | None = None  # of all tests
    ignore_flaky: bool = False  # what failed first and passed in the end has passed

    def __post_init__(self) -> None:
        if self.separator == "":
            raise Rejected("a separator needs at least one character, such as '.', not ''")
        if self.layer is not None and not 0 < len(self.layer) <= LONGEST_LAYER:
            raise Rejected(f"a layer has 1 to {LONGEST_LAYER} characters, not {len(self.layer)}")


@dataclass(frozen=True, slots=True)
class Found:
    """One test's result, and the files that its report attaches to it; they were there."""

    result: Result
    files: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class TestName:
    """Where a test belongs, and the id under which Test IT keeps it."""

    namespace: str
    classname: str
    external_id: str


def test_name(naming: Naming, classname: str | None, name: str) -> TestName:
    """Name a test of a report as testit-cli does, so that both mean the same autotest."""
    namespace, short = _split(naming.separator, classname)
    return named(naming, namespace, short, name)


def named(naming: Naming, namespace: str, classname: str, name: str) -> TestName:
    """Name a test whose namespace and classname are known, unless the caller has others."""
    if naming.namespace is not None:
        namespace = naming.namespace
    if naming.classname is not None:
        classname = naming.classname
    text = namespace + classname + name
    digest = hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False)
    return TestName(namespace, classname, digest.hexdigest())


def _split(separator: str | None, classname: str | None) -> tuple[str, str]:
    if classname is None:
        return NO_NAMESPACE, NO_CLASSNAME
    if separator is None or separator not in classname:
        return NO_NAMESPACE, classname
    short = classname.split(separator)[-1]
    # One character goes, however long the separator is: so it does in testit-cli's ids.
    return classname[: -(len(short) + 1)], short
