"""What is told to a person in the line above the keys, in sentences."""

from __future__ import annotations

from tui import look
from tui.evidence import Answered
from tui.terms import Action
from tui.words import labelled, plant, say


def taken(answered: Answered) -> str:
    """What the coordinator made of an answer, in a sentence."""
    request = answered.request
    said = request.label or request.pending_label
    if not said and answered.request.first_by:
        return say("taken.second", cell=plant(request.cell_id))
    if not said:
        return say("taken.cannot_tell", cell=plant(request.cell_id))
    text = f"{plant(request.cell_id)}: {labelled(said)}."
    # A narrow line cuts the end: first what the cell does, for which a person may be
    # needed.
    sentences = [text, *_follows(answered)]
    if answered.correction and request.guess:
        sentences.append(say("taken.model_said", label=labelled(request.guess)))
    return " ".join(sentences)


def _follows(answered: Answered) -> list[str]:
    """What the cell does now, as far as it waited for this answer."""
    if not answered.moves_on:
        return []
    if answered.action is Action.STOP:
        return [say("taken.held")]
    action = look.ACTIONS[answered.action]
    if answered.undo_s > 0.0:
        seconds = f"{answered.undo_s:.0f}"
        return [say("taken.goes_on_soon", seconds=seconds, action=action)]
    return [say("taken.goes_on", action=action)]
