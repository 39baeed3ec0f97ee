"""Decisions, and the permits that rest on them: nothing moves without one."""

from __future__ import annotations

from typing import Any

from coordinator.errors import IllegalTransitionError, StaleEpochError
from coordinator.store.fold.place import Place
from coordinator.terms import Action, Decision, Permit
from coordinator.terms.events import (
    HoldReleased,
    PermitConsumed,
    PermitDropped,
    PermitIssued,
    WindowDecided,
)

RELEASE = "release"
"""Kept in place of a verdict for a decision that a person or policy made."""

DECIDE = "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def window_decided(at: Place, event: WindowDecided) -> None:
    """Guards: a new decision id, no newer session."""
    at.fence(event.cell_id, event.epoch)
    said = event.verdict.prediction
    at.add(
        DECIDE,
        (
            at.seq,
            event.decision_id,
            event.cell_id,
            event.epoch,
            event.verdict.decision.value,
            event.window_id,
            event.window_digest,
            said.label if said is not None else "",
        ),
        taken=f"decision {event.decision_id} was already made.",
    )


def released(at: Place, event: HoldReleased) -> None:
    """Guard: a new decision id."""
    at.add(
        DECIDE,
        # a person's disposition of the waiting part stands where a label would
        (
            at.seq,
            event.decision_id,
            event.cell_id,
            0,
            RELEASE,
            "",
            event.window_digest,
            event.disposition,
        ),
        taken=f"decision {event.decision_id} was already made.",
    )


def permit_issued(at: Place, event: PermitIssued) -> None:
    """Guards: a new permit, a decision that allows it, no newer session."""
    permit = event.permit
    at.fence(permit.cell_id, permit.session_epoch)
    if refused := _refused(at, permit):
        raise IllegalTransitionError(refused, "NO_DECISION")
    at.add(
        "INSERT INTO permits VALUES (?, ?, ?, ?, 'issued', ?)",
        (
            permit.permit_id,
            permit.cell_id,
            permit.session_epoch,
            permit.decision_id,
            at.seq,
        ),
        taken=f"permit {permit.permit_id} was already issued.",
    )


def _refused(at: Place, permit: Permit) -> str:
    """Return why a permit may not be issued, or "" when it may."""
    if permit.action is Action.STOP:
        return "a permit never carries stop."
    decided = at.row(
        """SELECT cell_id, epoch, verdict, window_digest, label FROM decisions
        WHERE decision_id = ?""",
        (permit.decision_id,),
    )
    if decided is None:
        return "a permit needs a decision that is on record."
    if decided[0] != permit.cell_id:
        return "the decision is about another cell."
    if at.row(
        "SELECT 1 FROM permits WHERE decision_id = ? AND state = 'consumed'",
        (permit.decision_id,),
    ):
        return "the step that was decided has already begun."
    return _not_allowed(at, permit, decided[1:])


def _not_allowed(at: Place, permit: Permit, decided: tuple[Any, ...]) -> str:
    epoch, verdict, digest, label = decided
    if permit.window_digest != digest:
        return "the decision is about another window."
    if verdict == RELEASE:
        disposed = not digest or permit.action.value == label
        return "" if disposed else "the release says otherwise of this part."
    if verdict == Decision.ACT.value:
        if permit.session_epoch != epoch:
            return "the decision was made in another session."
        return "" if permit.label == label else f"the decision was {label}."
    return _not_answered(at, permit)


def _not_answered(at: Place, permit: Permit) -> str:
    answered = at.row(
        """SELECT label FROM requests WHERE decision_id = ? AND outcome = 'answered'
        AND kind = 'question'""",
        (permit.decision_id,),
    )
    if answered is None:
        return "the gate asked, and nobody has answered."
    return "" if permit.label == answered[0] else f"the answer was {answered[0]}."


def permit_consumed(at: Place, event: PermitConsumed) -> None:
    """Guard: the permit was issued to this session of this cell, and is unused."""
    row = at.row(
        "SELECT cell_id, epoch, state, decision_id FROM permits WHERE permit_id = ?",
        (event.permit_id,),
    )
    if row is None or row[0] != event.cell_id:
        raise IllegalTransitionError(
            f"permit {event.permit_id} was not issued to this cell.", "PERMIT_UNKNOWN"
        )
    if row[1] != event.epoch:
        raise StaleEpochError(f"{event.epoch}, the permit is of {row[1]}.")
    if row[2] != "issued":
        raise IllegalTransitionError(
            f"permit {event.permit_id} was already {row[2]}.", "PERMIT_USED"
        )
    if at.row(
        "SELECT 1 FROM permits WHERE decision_id = ? AND state = 'consumed'", (row[3],)
    ):
        raise IllegalTransitionError(
            "the step that was decided has already begun.", "PERMIT_USED"
        )
    _end(at, event.permit_id, "consumed")


def permit_dropped(at: Place, event: PermitDropped) -> None:
    """Close the permit, if it is unused; otherwise this is only a remark."""
    _end(at, event.permit_id, "dropped")


def _end(at: Place, permit_id: str, state: str) -> None:
    at.change(
        "UPDATE permits SET state = ? WHERE permit_id = ? AND state = 'issued'",
        (state, permit_id),
    )
