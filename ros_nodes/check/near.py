"""Names that somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

MOST: Final = 3
_ALIKE: Final = 0.7


def near_names(
    name: str, kind: str, there: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return the names of a graph that are like one that is not there.

    Of the right type, and with the same last word or all in all alike, comes first.
    Then names of the right type alone, when they are few: there is often just one
    JointState. Names of another type only where none has the right one.

    Args:
        name: The full name that is not there.
        kind: Its type.
        there: Types of what is there, by full name.
    """
    fitting = [one for one in there if kind in there[one]]
    few = fitting if len(fitting) <= MOST else []
    ordered = [*_alike(name, fitting), *sorted(few)] or _alike(name, there)
    return tuple(dict.fromkeys(one for one in ordered if one != name))[:MOST]


def near_words(word: str, there: Iterable[str]) -> tuple[str, ...]:
    """Return the words that end like one that is not there, or look like it."""
    words = list(there)
    ends = [one for one in words if one.endswith(word) or word.endswith(one)]
    alike = difflib.get_close_matches(word, words, n=MOST, cutoff=_ALIKE)
    return tuple(dict.fromkeys([*ends, *alike]))[:MOST]


def _alike(name: str, names: Iterable[str]) -> list[str]:
    last = name.rpartition("/")[2]
    same_end = sorted(one for one in names if one.rpartition("/")[2] == last)
    close = difflib.get_close_matches(name, list(names), n=MOST, cutoff=_ALIKE)
    return [*same_end, *close]
