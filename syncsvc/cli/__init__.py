"""The command line; each command imports what it needs when it runs, so --help is quick."""

from syncsvc.cli.root import app

__all__ = ["app"]
