"""What is told to a person in the line above the keys, in sentences."""

from __future__ import annotations

from tui import look
from tui.evidence import Answered
from tui.terms import Action


def taken(answered: Answered) -> str:
    """What the coordinator made of an answer, in a sentence."""
    request = answered.request
    said = request.label or request.pending_label
    if not said:
        return f"{request.cell_id}: cannot tell. It goes to the shift lead."
    text = f"{request.cell_id}: {said}"
    if answered.correction and request.guess:
        text += f", the model had said {request.guess}"
    if answered.moves_on and answered.action is Action.STOP:
        text += ". The cell is held: look at it, then r"
    elif answered.moves_on:
        text += f". The cell goes on: {look.ACTIONS[answered.action]}"
    if answered.undo_s > 0.0:
        text += f". u takes it back for {answered.undo_s:.0f} s"
    return f"{text}."
