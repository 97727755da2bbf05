"""Takes a token from the command line, which every user of a machine can read."""

import os
import sys
from collections.abc import Sequence

from syncsvc.launcher.executable import TOKEN

FLAG = "--privateToken"


def without_token(token: str) -> None:
    """Become the same command, with the token in the environment; does not return."""
    os.environ[TOKEN] = token
    os.execv(sys.executable, [sys.executable, *stripped(sys.orig_argv[1:])])  # noqa: S606 - no shell


def stripped(argv: Sequence[str]) -> list[str]:
    """Give a command line without the flag, in both of its spellings, and without its value."""
    return [
        word
        for before, word in zip(["", *argv], argv, strict=False)
        if before != FLAG and word.partition("=")[0] != FLAG
    ]
