"""Which files are attached to a run: those that are named, and those in folders and below."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Give the files, each once; hidden ones in folders are left out. Raises BadParameter."""
    return list(dict.fromkeys(file for path in paths for file in _below(path)))


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield _checked(path)
        return
    found = [
        Path(folder, name)
        for folder, _, names in os.walk(path, onerror=_unreadable)
        for name in names
        if not name.startswith(".")
    ]
    if not found:
        raise typer.BadParameter(f"{path}: expected files to attach, found an empty folder")
    yield from (_checked(file) for file in sorted(found))


def _checked(path: Path) -> Path:
    if not path.is_file() or not os.access(path, os.R_OK):
        raise typer.BadParameter(f"{path}: expected a file that can be read")
    return path


def _unreadable(error: OSError) -> None:
    raise typer.BadParameter(f"{error.filename}: cannot be listed: {error.strerror}")
