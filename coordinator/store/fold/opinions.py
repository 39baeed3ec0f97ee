"""What people do with a request besides answering: hand over, arrive, skip, differ."""

from __future__ import annotations

from coordinator.errors import (
    NotFoundError,
    NotYourClaimError,
    OtherPersonError,
    StaleEpochError,
)
from coordinator.store.fold.place import Place
from coordinator.store.fold.requests import is_open, not_theirs, nothing_waits
from coordinator.terms.events import (
    ClaimHandedOver,
    FirstOpinion,
    OpinionKept,
    RequestArrived,
    RequestSkipped,
)

_FREE = """UPDATE requests SET claimed_by = '', claimed_at = NULL
    WHERE request_id = ? AND outcome = 'open' AND claim_epoch = ? AND claimed_by = ?
    AND claimed_by <> ''"""


def claim_handed_over(at: Place, event: ClaimHandedOver) -> None:
    """Guards: open, the next claim epoch, the giver's claim, and no answer waits."""
    nothing_waits(at, event.request_id)
    if not at.change(
        """UPDATE requests SET claimed_by = ?, claim_epoch = ?, claimed_at = ?
        WHERE request_id = ? AND outcome = 'open' AND claim_epoch = ?
        AND claimed_by = ? AND claimed_by <> ''""",
        (
            event.to,
            event.claim_epoch,
            at.recorded_at,
            event.request_id,
            event.claim_epoch - 1,
            event.actor.person,
        ),
    ):
        _refuse(at, event.request_id, event.claim_epoch - 1)


def request_arrived(at: Place, event: RequestArrived) -> None:
    """Guard: open. Later arrivals change nothing."""
    is_open(at, event.request_id)
    at.change(
        "INSERT OR IGNORE INTO arrivals VALUES (?, ?, ?, ?)",
        (event.request_id, at.recorded_at, event.actor.person, at.seq),
    )


def request_skipped(at: Place, event: RequestSkipped) -> None:
    """Guards: open, the current claim is theirs, and no answer waits."""
    nothing_waits(at, event.request_id)
    person = event.actor.person
    if not at.change(_FREE, (event.request_id, event.claim_epoch, person)):
        _refuse(at, event.request_id, event.claim_epoch)
    at.change(
        "INSERT OR IGNORE INTO skips VALUES (?, ?, ?)",
        (event.request_id, person, at.seq),
    )


def first_opinion(at: Place, event: FirstOpinion) -> None:
    """Guards: open, the current claim is theirs, no answer waits, nobody was first."""
    said = event.answer
    nothing_waits(at, said.request_id)
    if at.row("SELECT 1 FROM first_opinions WHERE request_id = ?", (said.request_id,)):
        raise OtherPersonError("a first opinion was given before.")
    person = said.actor.person
    if not at.change(_FREE, (said.request_id, said.claim_epoch, person)):
        raise not_theirs(at, said)
    at.change(
        "INSERT INTO first_opinions VALUES (?, ?, ?, ?)",
        (said.request_id, said.label, person, at.seq),
    )


def opinion_kept(at: Place, event: OpinionKept) -> None:
    """Guards: there is such a request, and it is the first of its kind and person."""
    known = at.row("SELECT 1 FROM requests WHERE request_id = ?", (event.request_id,))
    if known is None:
        raise NotFoundError(f"no request {event.request_id}.")
    at.add(
        "INSERT INTO unheard VALUES (?, ?, ?, ?, ?)",
        (
            event.request_id,
            event.actor.person,
            event.why.value,
            event.label,
            at.seq,
        ),
        taken="this opinion was kept before.",
    )


def _refuse(at: Place, request_id: str, epoch: int) -> None:
    holder, current = is_open(at, request_id)
    if epoch != current:
        raise StaleEpochError(f"{epoch}, current {current}.")
    raise NotYourClaimError(f"the claim is held by {holder or 'nobody'}.")
