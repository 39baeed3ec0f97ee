"""Are the windows of a cell, lately, like those that the model learned from?

One window at the edge of the familiar is nothing: one in ten is. Window after window at
the edge is another robot, part, person or operation, even where none of them alone lies
far enough out to be called novel. A count goes up with each such window and down with
each ordinary one; while it stands high, the cell asks. It begins high with every model,
so what a model sees first it must find ordinary. Windows alone bring it down, never
time.

While a share q of the windows lies at the edge, it stands high in (q / (1 - q)) ** HIGH
of the time if they come independently: 0.14 % at the declared tenth, 1.6 % at a fifth.
"""

from __future__ import annotations

import math
from typing import Final

from coordinator.terms import NO_DIGEST, Decision, Digest, Finding, Prediction

EDGE: Final = math.log(0.1) / math.log(0.05)
"""Novelty that one familiar window in ten reaches; 1 is reached by one in twenty."""
HIGH: Final = 3
"""Windows at the edge, in a row, after which a cell asks."""
HIGHEST: Final = 8
"""The count goes no further: so many ordinary windows less two and it acts again."""
CODE: Final = "UNFAMILIAR"
TEXT: Final = (
    "the last windows of this cell are unlike what the model learned from: a person "
    "answers until ordinary ones come."
)


class Lately:
    """The count of one cell. Not thread-safe: it lives on the event loop."""

    def __init__(self) -> None:
        self._model = NO_DIGEST
        self._count = HIGH

    def see(self, prediction: Prediction) -> list[Finding]:
        """Count a window; return what speaks against acting on it, if anything does."""
        if prediction.model_digest != self._model:
            self._begin(prediction.model_digest)
        # Written as proof: only a number below the edge counts as ordinary.
        ordinary = prediction.novelty < EDGE
        step = -1 if ordinary else 1
        self._count = min(HIGHEST, max(0, self._count + step))
        if self._count < HIGH:
            return []
        return [Finding(Decision.ASK, CODE, TEXT)]

    def _begin(self, model: Digest) -> None:
        self._model, self._count = model, HIGH
