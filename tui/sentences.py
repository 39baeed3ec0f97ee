"""What is told to a person in the line above the keys, in sentences."""

from __future__ import annotations

from tui import look
from tui.evidence import Answered
from tui.terms import Action
from tui.words import plant, say


def taken(answered: Answered) -> str:
    """What the coordinator made of an answer, in a sentence."""
    request = answered.request
    said = request.label or request.pending_label
    if not said and answered.request.first_by:
        return say("taken.second", cell=plant(request.cell_id))
    if not said:
        return say("taken.cannot_tell", cell=plant(request.cell_id))
    text = f"{plant(request.cell_id)}: {plant(said)}"
    if answered.correction and request.guess:
        text += say("taken.model_said", label=plant(request.guess))
    if answered.moves_on and answered.action is Action.STOP:
        text += say("taken.held")
    elif answered.moves_on:
        action = look.ACTIONS[answered.action]
        if answered.undo_s > 0.0:
            seconds = f"{answered.undo_s:.0f}"
            text += say("taken.goes_on_soon", seconds=seconds, action=action)
        else:
            text += say("taken.goes_on", action=action)
    return f"{text}."
