"""Runs commands of `syncsvc` one after the other, each as a process of its own would.

A wish is a line of JSON on stdin (arguments, environment, and files for what is said); its exit
code is a line on stdout.
"""

import json
import os
import sys
from pathlib import Path

from syncsvc.__main__ import main


def play(wish: dict) -> int:
    os.environ.clear()
    os.environ.update(wish["environment"])
    sys.argv = ["syncsvc", *wish["arguments"]]
    for number, name in ((1, "out"), (2, "err")):
        with Path(wish[name]).open("wb") as file:
            os.dup2(file.fileno(), number)
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "w") as answers:
        for line in sys.stdin:
            answers.write(f"{play(json.loads(line))}\n")
            answers.flush()
