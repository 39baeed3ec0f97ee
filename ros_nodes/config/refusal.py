"""Read one key of a TOML table, or refuse it in one sentence that names it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

Table = Mapping[str, Any]


class ConfigRefusedError(Exception):
    """The configuration cannot run a node; the text is one sentence for people."""


def table(parent: Table, key: str, *, where: str) -> Table:
    """Read a table; one that is left out is empty."""
    value = parent.get(key, {})
    if not isinstance(value, Mapping):
        raise ConfigRefusedError(f"{key} in {where} is not a table")
    return value


def tables(parent: Table, key: str, *, where: str) -> tuple[Table, ...]:
    """Read a list of tables; one that is left out is empty."""
    value = parent.get(key, [])
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ConfigRefusedError(f"{key} in {where} is not a list of tables")
    for row in value:
        if not isinstance(row, Mapping):
            raise ConfigRefusedError(f"{key} in {where} is not a list of tables")
    return tuple(value)


def known(of: Table, keys: Sequence[str], where: str) -> None:
    """Refuse a key that nobody reads: a misspelt one would go unnoticed."""
    for key in of:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise ConfigRefusedError(f"{where}: unknown key {key!r}{hint}")


def text(of: Table, key: str, default: str, where: str) -> str:
    """Read a text."""
    value = of.get(key, default)
    if not isinstance(value, str):
        raise ConfigRefusedError(f"{where}: {key} is not a text")
    return value


def flag(of: Table, key: str, where: str, *, default: bool) -> bool:
    """Read true or false."""
    value = of.get(key, default)
    if not isinstance(value, bool):
        raise ConfigRefusedError(f"{where}: {key} is neither true nor false")
    return value


def choice(of: Table, key: str, allowed: Sequence[str], where: str) -> str:
    """Read one of several words; the first is the default."""
    value = text(of, key, allowed[0], where)
    if value not in allowed:
        raise ConfigRefusedError(
            f"{where}: {key} is {value[:40]!r}, known: {', '.join(allowed)}"
        )
    return value


def whole(of: Table, key: str, default: int, where: str, *, least: int) -> int:
    """Read a whole number of at least `least`."""
    value = of.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigRefusedError(f"{where}: {key} is not a whole number from {least}")
    return value


def number(
    of: Table, key: str, default: float, where: str, *, above: float | None = None
) -> float:
    """Read a number of at most 86,400 that is at least 0, or above `above`."""
    value = of.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigRefusedError(f"{where}: {key} is not a number")
    enough = value >= 0.0 if above is None else value > above
    if not (enough and math.isfinite(value) and value <= 86_400.0):
        raise ConfigRefusedError(f"{where}: {key} is {value}, out of range")
    return float(value)


def values(of: Table, key: str, where: str) -> tuple[bool | int | float | str, ...]:
    """Read a list of plain values that is not empty."""
    found = of.get(key, ())
    if (
        not isinstance(found, Sequence)
        or isinstance(found, str)
        or not found
        or not all(isinstance(value, bool | int | float | str) for value in found)
    ):
        raise ConfigRefusedError(f"{where}: {key} is not a list of values")
    return tuple(found)
