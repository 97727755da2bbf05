"""The fence of a command that runs under a lease: its token is in the environment."""

import os

import typer

from syncsvc.cli.coordination.guarded import TOKEN
from syncsvc.client.board import Fence


def fence_of(lease: str | None) -> Fence | None:
    """Raises BadParameter where no token is."""
    if lease is None:
        return None
    token = os.environ.get(TOKEN, "")
    if not token.isdecimal():
        raise typer.BadParameter(
            f"--fence: expected a token in {TOKEN}, found {token!r}; "
            "'lock run' and 'leader campaign' set it"
        )
    return Fence(lease, int(token))
