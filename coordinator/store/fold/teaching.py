"""What people say of stored windows: one opinion a person and window, and no second."""

from __future__ import annotations

from coordinator.errors import IllegalTransitionError, NotFoundError
from coordinator.store.fold.place import Place
from coordinator.terms.events import (
    ExampleReinstated,
    LabelDecided,
    OpinionGiven,
    OpinionTakenBack,
)


def opinion_given(at: Place, event: OpinionGiven) -> None:
    """Guards: the actor's own, its window kept, and nothing of theirs about it."""
    said = event.opinion
    if (said.person, said.device) != (event.actor.person, event.actor.device):
        raise IllegalTransitionError("nobody speaks for another.", "NOT_YOUR_OPINION")
    _require_window(at, said.window_id, said.window_digest)
    if at.row(
        """SELECT 1 FROM opinions WHERE window_id = ? AND person = ?
        AND NOT taken_back""",
        (said.window_id, said.person),
    ):
        raise IllegalTransitionError(
            f"{said.person} has said already what this window is.", "ALREADY_SAID"
        )
    at.add(
        "INSERT INTO opinions VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
        (
            said.opinion_id,
            said.family,
            said.window_id,
            said.person,
            said.label,
            said.example_id,
            at.seq,
        ),
        taken=f"opinion {said.opinion_id} was already given.",
    )


def opinion_taken_back(at: Place, event: OpinionTakenBack) -> None:
    """Guard: it stands, and this person gave it."""
    row = at.row(
        "SELECT person, taken_back, example_id FROM opinions WHERE opinion_id = ?",
        (event.opinion_id,),
    )
    if row is None:
        raise NotFoundError(f"no opinion {event.opinion_id}.")
    person, taken_back, example_id = row
    if taken_back or person != event.actor.person:
        text = "it was taken back before." if taken_back else f"{person} gave it."
        raise IllegalTransitionError(text, "NOT_YOUR_OPINION")
    at.change("UPDATE examples SET retracted = 1 WHERE example_id = ?", (example_id,))
    at.change(
        "UPDATE opinions SET taken_back = 1 WHERE opinion_id = ?", (event.opinion_id,)
    )


def example_reinstated(at: Place, event: ExampleReinstated) -> None:
    """Guard: there is such an example."""
    if not at.change(
        "UPDATE examples SET quarantine = '' WHERE example_id = ?", (event.example_id,)
    ):
        raise NotFoundError(f"no example {event.example_id}.")


def label_decided(at: Place, event: LabelDecided) -> None:
    """Guard: its window is kept. The newest decision about the evidence holds."""
    _require_window(at, event.window_id, event.window_digest)
    at.change(
        "INSERT OR REPLACE INTO decided VALUES (?, ?, ?, ?, ?)",
        (event.family, event.window_digest, event.label, event.actor.person, at.seq),
    )


def _require_window(at: Place, window_id: str, digest: str) -> None:
    if not at.row(
        "SELECT 1 FROM windows WHERE window_id = ? AND digest = ?", (window_id, digest)
    ):
        raise IllegalTransitionError("an opinion needs its window kept.", "NO_WINDOW")
