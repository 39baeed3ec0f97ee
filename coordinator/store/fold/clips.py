"""Full-rate clips: one a window, and none taken from an open question."""

from __future__ import annotations

from coordinator.errors import ConflictError, IllegalTransitionError, NotFoundError
from coordinator.store.fold.place import Place
from coordinator.terms.events import ClipRemoved, ClipStored


def clip_stored(at: Place, event: ClipStored) -> None:
    """Guards: its request is there, about this window and cell, which has no clip."""
    clip = event.clip
    asked = at.row(
        """SELECT d.window_id, r.cell_id FROM requests AS r JOIN decisions AS d
        ON d.decision_id = r.decision_id WHERE r.request_id = ?""",
        (clip.request_id,),
    )
    if asked is None:
        raise NotFoundError(f"no request {clip.request_id}.")
    if asked != (clip.window_id, clip.cell_id):
        raise IllegalTransitionError(
            f"request {clip.request_id} is not about window {clip.window_id} of "
            f"{clip.cell_id}.",
            "OTHER_WINDOW",
        )
    at.add(
        "INSERT INTO clips VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
        (
            clip.clip_id,
            clip.cell_id,
            clip.request_id,
            clip.window_id,
            clip.digest,
            clip.bytes,
            at.seq,
        ),
        taken=f"window {clip.window_id} has a clip already.",
    )


def clip_removed(at: Place, event: ClipRemoved) -> None:
    """Guards: it is stored, and no open request is about its window."""
    if at.row(
        """SELECT 1 FROM requests AS r JOIN decisions AS d
        ON d.decision_id = r.decision_id
        WHERE r.outcome = 'open' AND d.window_id = ?""",
        (event.window_id,),
    ):
        raise ConflictError(
            f"an open request is about window {event.window_id}.", "STILL_ASKED"
        )
    if not at.change(
        """UPDATE clips SET removed = 1
        WHERE clip_id = ? AND window_id = ? AND NOT removed""",
        (event.clip_id, event.window_id),
    ):
        raise NotFoundError(f"no clip {event.clip_id} is stored.")
