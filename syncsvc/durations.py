"""Durations as people write them."""

import re
from datetime import timedelta

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(value: object) -> object:
    """Read `90`, `1.5s`, `250ms`, `10m`, `2h` or `1d` as a timedelta.

    Raises ValueError that names the accepted forms.
    """
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*", str(value))
    if found is None:
        raise ValueError(f"expected a duration such as 90, 1.5s, 250ms, 10m or 2h, not {value!r}")
    try:
        return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    except OverflowError:
        raise ValueError(f"expected less than a million years, not {value!r}") from None
