"""Ties a process to its parent: when the parent dies, even by kill -9, so does the process.

This is a program that becomes the one it ties, and not a `preexec_fn`, because Python code
between fork and exec may deadlock where the parent has threads. There are two ways:

    tether.py kernel SIGNAL PARENT COMMAND...   Linux sends SIGNAL when PARENT dies
    tether.py pipe   SIGNAL        COMMAND...   elsewhere a small process waits for the end of
                                                standard input, which only the parent holds open
"""

import os
import sys
from pathlib import Path

BY_KERNEL = sys.platform == "linux"
PR_SET_PDEATHSIG = 1


def tied(argv: tuple[str, ...], signal: int) -> tuple[str, ...]:
    """Give the command line that runs `argv` tied to this process.

    Without `BY_KERNEL` its standard input must be a pipe that this process keeps open.
    """
    way = (
        ("kernel", str(int(signal)), str(os.getpid())) if BY_KERNEL else ("pipe", str(int(signal)))
    )
    return (sys.executable, "-I", "-S", str(Path(__file__).absolute()), *way, *argv)


def _tie_by_kernel(signal: int, parent: int) -> None:
    import ctypes  # noqa: PLC0415 - the supervisor itself never needs it

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was asked
        sys.exit(1)


def _tie_by_pipe(signal: int) -> None:
    tied_one = os.getpid()
    if os.fork() == 0:
        os.closerange(1, 256)
        while os.read(0, 1):
            pass
        os.kill(tied_one, signal)
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _become(argv: list[str]) -> None:
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - the command is ours, and no shell is wanted
    except OSError as error:
        sys.exit(f"{argv[0]}: {error.strerror}")


if __name__ == "__main__":
    _, chosen, number, *rest = sys.argv
    if chosen == "kernel":
        _tie_by_kernel(int(number), int(rest.pop(0)))
    else:
        _tie_by_pipe(int(number))
    _become(rest)
