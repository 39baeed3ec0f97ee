"""What is wrong with a TOML file that was refused, in one sentence that helps."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pydantic import BaseModel, ValidationError

MOST_SHOWN = 40
"""Letters of a refused value that are shown."""


def first_problem(error: ValidationError, sections: Iterable[type[BaseModel]]) -> str:
    """Name the key that is wrong, what it was, and what is allowed.

    Args:
        error: What pydantic raised.
        sections: Everything that has keys, for a suggestion where one is misspelt.
    """
    problems = error.errors(include_url=False)
    # A misspelt key is also a missing one; the misspelling is what helps.
    unknown = [p for p in problems if p["type"] == "extra_forbidden"]
    problem = (unknown or problems)[0]
    where = ".".join(
        str(part + 1) if isinstance(part, int) else part for part in problem["loc"]
    )
    if problem["type"] == "extra_forbidden":
        known = sorted({key for section in sections for key in section.model_fields})
        near = difflib.get_close_matches(where.split(".")[-1], known, n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        return f"unknown key '{where}'{hint}."
    if problem["type"] == "missing":
        return f"key '{where}' is missing."
    message = problem["msg"].removeprefix("Value error, ")
    given = problem["input"]
    if problem["type"] != "value_error" and isinstance(given, bool | int | float | str):
        message += f", not {given!r:.{MOST_SHOWN}}"
    return f"{where}: {message}." if where else f"{message}."
