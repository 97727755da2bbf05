"""Kubectl's configuration files read as one: of what they name alike the first counts."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from syncsvc.adapters.kubernetes import kubeconfig_shapes as shapes
from syncsvc.adapters.kubernetes.kubeconfig_places import Place
from syncsvc.errors import Rejected

VARIABLE = "KUBECONFIG"
USUAL = Path(".kube", "config")
LARGEST = 8 * 1024 * 1024
Kind = str  # of a list: clusters, contexts or users


@dataclass(frozen=True, slots=True)
class Entry:
    """What a file holds under a name."""

    file: Path
    content: object = field(repr=False)


@dataclass
class Merged:
    """What all files say together."""

    files: Sequence[Path]
    current: str = ""
    entries: dict[tuple[Kind, str], Entry] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return ", ".join(str(file) for file in self.files)

    def find(self, kind: Kind, name: str) -> Entry | None:
        return self.entries.get((kind, name))

    def names(self, kind: Kind) -> str:
        names = [repr(name) for of, name in self.entries if of == kind]
        return ", ".join(names) if names else "none"


def read_kubeconfig(path: str | Path | None, environ: Mapping[str, str]) -> Merged:
    """Read the file at `path`, else those of KUBECONFIG, else the usual one.

    Those of KUBECONFIG may be absent, but for the last of them that is tried.
    """
    files, origin = _files(path, environ)
    there = [file for file in files if _is_there(file)]
    if not there:
        looked = ", ".join(str(file) for file in files)
        raise Rejected(f"{origin}: expected a kubeconfig, found no file {looked}")
    merged = Merged(there)
    for file in there:
        _take(merged, file)
    return merged


def _files(path: str | Path | None, environ: Mapping[str, str]) -> tuple[list[Path], str]:
    if path:
        return [Path(path).expanduser()], "kubeconfig"
    listed = [Path(each) for each in environ.get(VARIABLE, "").split(os.pathsep) if each]
    return (listed, VARIABLE) if listed else ([Path.home() / USUAL], f"{VARIABLE} is not set")


def _take(merged: Merged, file: Path) -> None:
    config = Place(file, "", "").read(_parsed(file), shapes.Config)
    merged.current = merged.current or config.current_context or ""
    for each in config.clusters or ():
        merged.entries.setdefault(("clusters", each.name), Entry(file, each.cluster))
    for each in config.contexts or ():
        merged.entries.setdefault(("contexts", each.name), Entry(file, each.context))
    for each in config.users or ():
        merged.entries.setdefault(("users", each.name), Entry(file, each.user))


def _parsed(file: Path) -> object:
    try:
        parsed = yaml.safe_load(_text(file))
    except yaml.YAMLError as error:  # whose text shows the lines, and secrets in them
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise Rejected(f"{file}: expected YAML, found something else{line}") from None
    except (RecursionError, ValueError):
        raise Rejected(f"{file}: expected YAML of a kubeconfig, found something else") from None
    return {} if parsed is None else parsed


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST:
            raise Rejected(f"{file}: expected at most {LARGEST} bytes, found more")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Rejected(f"{file}: expected a kubeconfig, cannot read it: {error.strerror}") from None


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # such as one in a folder that we may not look into
        return False
