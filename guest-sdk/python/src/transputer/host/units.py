"""Sizes and times as network files have them."""

from __future__ import annotations

import re

__all__ = ["seconds", "size"]

_SIZES = {"": 1, "b": 1}
for _power, _letter in enumerate("kmgt", start=1):
    _SIZES[f"{_letter}b"] = 1000**_power
    _SIZES[f"{_letter}ib"] = 1024**_power

_TIMES = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}

_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zµ]*)\s*", re.IGNORECASE)


def size(given: int | str) -> int:
    """Bytes.

    >>> size("64 MiB"), size("1.5 kB"), size(10)
    (67108864, 1500, 10)
    """
    if isinstance(given, int):
        return given
    number, unit = _parts(given)
    if unit.lower() not in _SIZES:
        raise ValueError(f"{given!r} is not a size, such as '64 MiB'")
    return int(number * _SIZES[unit.lower()])


def seconds(given: float | str) -> float:
    """Seconds.

    >>> seconds("100 ms"), seconds("2 min"), seconds(1.5)
    (0.1, 120.0, 1.5)
    """
    if isinstance(given, (int, float)):
        return float(given)
    number, unit = _parts(given)
    if unit.lower() not in _TIMES:
        raise ValueError(f"{given!r} is not a time, such as '100 ms'")
    return number * _TIMES[unit.lower()]


def _parts(given: str) -> tuple[float, str]:
    found = _FORM.fullmatch(given)
    if found is None:
        raise ValueError(f"{given!r} is not a number with a unit, such as '64 MiB' or '100 ms'")
    return float(found[1]), found[2]
