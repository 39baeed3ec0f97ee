"""What a person has said of a cycle, against what the model says of its next windows.

Windows of one cycle resemble each other, and where they overlap a fault lies in two of
them: a person has just named it, and the model, sure again, calls what is left of it
normal. Most faults that a sure model missed were of this kind (docs/gate.md). So on an
engineer's word nothing is decided alone that contradicts the last answer about the same
cycle: the person stands by it or not, and whom they agree with is then on record.
"""

from __future__ import annotations

from coordinator.live.gate.judge import CONTRADICTS, is_sound
from coordinator.terms import Decision, Finding, OperatorRequest, Prediction


class LastWord:
    """The last answer about one cell. Not thread-safe: it lives on the event loop."""

    def __init__(self) -> None:
        self._cycle = 0
        self._label = ""

    def heard(self, request: OperatorRequest) -> None:
        """Note the answer to a question that the cell waited for."""
        self._cycle, self._label = request.cycle, request.label

    def see(self, cycle: int, prediction: Prediction) -> list[Finding]:
        """Return what the last answer has against what the model says now.

        It stands until the model says the same, a person says something else, or the
        cycle ends. Time ends nothing.
        """
        says = prediction.label if is_sound(prediction) else ""
        if cycle != self._cycle or says == self._label:
            self._label = ""
        if not self._label:
            return []
        text = f"of this cycle a person has just said {self._label}, not {says}."
        return [Finding(Decision.ASK, CONTRADICTS, text)]
