"""Prints docs/reference/settings.md from the settings themselves.

python docs/reference/make_settings.py > docs/reference/settings.md
"""

from datetime import timedelta

from syncsvc.settings import PREFIX, Settings

HEAD = """# Settings

Read from the environment, then `.env`, then the TOML file that `SYNCSVC_CONFIG` names (default
`syncsvc.toml`, with the names in lower case and without the prefix); the first that has a value
wins. Durations are written `90`, `1.5s`, `250ms`, `10m`, `2h` or `1d`. A wrong value stops the
process at its start, naming the variable, what was found and what is allowed.

| variable | default | what it is for |
| --- | --- | --- |
"""

POLICIES = """
## Who may hold a result back

`SYNCSVC_MASTER_POLICY=first`: the first worker of a run that registers is its master until it is
done or gone. `auto` (the default): the same, but a master that has not begun gives way to whoever
registers next, as long as nothing is held. pytest-xdist needs that: its controller registers first
and runs no test.
"""


def page() -> str:
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(name)} | {field.description or ''} |"
        for name, field in Settings.model_fields.items()
    ]
    return HEAD + "\n".join(rows) + "\n" + POLICIES


def _default(name: str) -> str:
    field = Settings.model_fields[name]
    if name == "data_dir":
        return "`~/.local/state/syncsvc`"
    if isinstance(field.default, timedelta):
        return f"`{_short(field.default)}`"
    return f"`{field.default}`" if field.default not in (None, "") else ""


def _short(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - what the script is for
