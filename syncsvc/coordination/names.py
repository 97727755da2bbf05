"""Names that people and programs choose, and the subjects that are made of them."""

from syncsvc.errors import Rejected

LONGEST_NAME = 200
LINE = "\n"  # no name has one, so it may stand between names


def check_name(field: str, value: str) -> str:
    """Give back a name of a run, a worker, or something that they share.

    Raises Rejected when it is empty, too long, or has characters that no name has.
    """
    if not value.strip():
        raise Rejected(f"{field}: expected a name, found an empty one")
    if len(value) > LONGEST_NAME:
        raise Rejected(f"{field}: expected at most {LONGEST_NAME} characters, found {len(value)}")
    if not value.isprintable():
        raise Rejected(f"{field}: expected printable characters, found {value[:40]!r}")
    return value


def subject(kind: str, run: str, *names: str) -> str:
    """Give the subject under which something that happened to a thing of a run is announced."""
    return LINE.join((kind, run, *names))
