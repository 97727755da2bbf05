"""The `syncsvc` command."""

import sys

from syncsvc.cli import app
from syncsvc.errors import SyncsvcError


def main() -> None:
    """Run the command; an error of ours is one line on stderr and exit code 1."""
    try:
        app(prog_name="syncsvc")
    except SyncsvcError as error:
        print(f"syncsvc: {error}", file=sys.stderr)  # noqa: T201 - what a command says
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
