"""What really happened in a cycle, written by the twin; nobody who decides can see it.

One file a cell, `truth-<cell>.jsonl`, one JSON object a line, growing while the cell
runs. Only the simulated operator reads it, in the place of eyes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_CELL = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class TruthError(Exception):
    """A line of a truth file cannot be read."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a careful person would say of one cycle.

    Attributes:
        label: Name of the label.
        ambiguous: Honest people may disagree.
    """

    label: str
    ambiguous: bool = False


class TruthFiles:
    """The truth files of one folder, read as they grow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, int] = {}
        self._known: dict[tuple[str, int], Truth] = {}

    def find(self, cell_id: str, cycle: int) -> Truth | None:
        """The truth about a cycle, or None while it is not written yet.

        Raises:
            TruthError: A line is not what the docstring of this module says.
        """
        if (cell_id, cycle) not in self._known:
            self._read_on(cell_id)
        return self._known.get((cell_id, cycle))

    def _read_on(self, cell_id: str) -> None:
        """Read the complete lines that were added since the last time."""
        if not _CELL.fullmatch(cell_id):
            return
        path = self._folder / f"truth-{cell_id}.jsonl"
        try:
            with path.open("rb") as file:
                start = self._read.get(cell_id, 0)
                if path.stat().st_size < start:  # begun again
                    start = 0
                file.seek(start)
                complete, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return
        self._read[cell_id] = start + len(complete) + len(newline)
        for line in complete.splitlines():
            if line.strip():
                cycle, truth = _parsed(line, path)
                self._known[cell_id, cycle] = truth


def _parsed(line: bytes, path: Path) -> tuple[int, Truth]:
    try:
        fact = json.loads(line)
    except ValueError as error:
        raise TruthError(f"{path.name} has a line that is not JSON") from error
    if not isinstance(fact, Mapping):
        raise TruthError(f"{path.name} has a line that is not an object")
    cycle, label = fact.get("cycle"), fact.get("label")
    if not isinstance(cycle, int) or not isinstance(label, str):
        raise TruthError(f"{path.name} has a line without a cycle and a label")
    return cycle, Truth(label, bool(fact.get("ambiguous")))
