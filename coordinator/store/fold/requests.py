"""Questions to people: opened, claimed, and ended exactly once."""

from __future__ import annotations

from datetime import datetime

from coordinator.errors import (
    AndonError,
    AnswerWaitsError,
    IllegalTransitionError,
    LookAloneError,
    NotFoundError,
    NotYourClaimError,
    OtherPersonError,
    RequestClaimedError,
    RequestClosedError,
    StaleEpochError,
)
from coordinator.store.fold.place import Place
from coordinator.terms import NOBODY, OperatorRequest, Outcome, RequestKind
from coordinator.terms.events import (
    AnswerGiven,
    AnswerUndone,
    ClaimEnded,
    KnownCaseEnded,
    RequestAnswered,
    RequestClaimed,
    RequestEnded,
    RequestOpened,
    RequestSeen,
)

ENDS = (Outcome.TIMED_OUT, Outcome.CANCELLED, Outcome.SUPERSEDED)
"""How a request may end without an answer."""

WORDS = {
    Outcome.ANSWERED: "answered",
    Outcome.TIMED_OUT: "timed out",
    Outcome.CANCELLED: "cancelled",
    Outcome.SUPERSEDED: "superseded",
}


def request_opened(at: Place, event: RequestOpened) -> None:
    """Guards: new, open, its decision on record and its window kept."""
    request = event.request
    if not request.is_open or request.claim_epoch or request.claimed_by:
        raise IllegalTransitionError("a request is opened open and unclaimed.")
    decided = at.row(
        "SELECT window_digest, window_id, cell_id FROM decisions WHERE decision_id = ?",
        (request.decision_id,),
    )
    asked = (request.window_digest, request.window_id, request.cell_id)
    if decided is None or decided != asked:
        raise IllegalTransitionError(
            "a request needs the decision that asks about this window.", "NO_DECISION"
        )
    if not at.row("SELECT 1 FROM windows WHERE window_id = ?", (request.window_id,)):
        raise IllegalTransitionError("a request needs its window kept.", "NO_WINDOW")
    at.add(
        """INSERT INTO requests VALUES
        (?, ?, ?, ?, ?, 'open', NULL, '', 0, NULL, NULL, NULL, '', '', ?)""",
        (
            request.request_id,
            request.cell_id,
            request.kind.value,
            request.decision_id,
            request.window_digest,
            at.seq,
        ),
        taken=f"request {request.request_id} was already opened.",
    )
    if request.is_known:
        _known_case_opened(at, request)


def _known_case_opened(at: Place, request: OperatorRequest) -> None:
    """Guards: no cell waits for it, nothing may be learned, and it is shown once."""
    if request.kind is not RequestKind.AUDIT or request.propensity > 0.0:
        raise IllegalTransitionError("a known case is an audit that teaches nothing.")
    at.add(
        "INSERT INTO known_cases VALUES (?, ?, ?, ?)",
        (request.window_id, request.request_id, request.known_label, at.seq),
        taken=f"window {request.window_id} was shown as a known case before.",
    )


def known_case_ended(at: Place, event: KnownCaseEnded) -> None:
    """Guards: it is a known case with that label, and it has ended so."""
    row = at.row(
        """SELECT k.label, r.label, r.outcome FROM known_cases AS k
        JOIN requests AS r ON r.request_id = k.request_id WHERE k.request_id = ?""",
        (event.request_id,),
    )
    if row is None or row[2] == Outcome.OPEN.value:
        raise IllegalTransitionError("only a known case that has ended is told of.")
    if row[:2] != (event.known_label, event.said):
        raise IllegalTransitionError("this is not how the known case ended.")


def request_seen(at: Place, event: RequestSeen) -> None:
    """Note the first look; later ones change nothing."""
    at.change(
        "UPDATE requests SET seen_at = ? WHERE request_id = ? AND seen_at IS NULL",
        (at.recorded_at, event.request_id),
    )


def request_claimed(at: Place, event: RequestClaimed) -> None:
    """Guards: open, the next claim epoch, nobody else's unless taken from them.

    And no answer waits.
    """
    nothing_waits(at, event.request_id)
    if at.change(
        """UPDATE requests SET claimed_by = ?, claim_epoch = ?, claimed_at = ?
        WHERE request_id = ? AND outcome = 'open' AND claim_epoch = ?
        AND claimed_by IN ('', ?, ?)""",
        (
            event.actor.person,
            event.claim_epoch,
            at.recorded_at,
            event.request_id,
            event.claim_epoch - 1,
            event.actor.person,
            event.taken_from,
        ),
    ):
        return
    holder, epoch = is_open(at, event.request_id)
    if epoch != event.claim_epoch - 1:
        raise StaleEpochError(f"{event.claim_epoch - 1}, current {epoch}.")
    raise RequestClaimedError(f"claimed by {holder}.")


def claim_ended(at: Place, event: ClaimEnded) -> None:
    """Guards: open, the current claim, and no answer waits."""
    nothing_waits(at, event.request_id)
    if at.change(
        """UPDATE requests SET claimed_by = '', claimed_at = NULL
        WHERE request_id = ? AND outcome = 'open' AND claim_epoch = ?
        AND claimed_by <> ''""",
        (event.request_id, event.claim_epoch),
    ):
        return
    _, epoch = is_open(at, event.request_id)
    if epoch != event.claim_epoch:
        raise StaleEpochError(f"{event.claim_epoch}, current {epoch}.")
    raise NotYourClaimError("nobody has claimed it.")


def answer_given(at: Place, event: AnswerGiven) -> None:
    """Guards: open, the current claim is the answering person's, no answer waits."""
    given = event.answer
    person = given.actor.person
    row = at.row(
        """SELECT cell_id, claim_epoch, claimed_by FROM requests
        WHERE request_id = ? AND outcome = 'open'""",
        (given.request_id,),
    )
    if row != (given.cell_id, given.claim_epoch, person) or not person:
        raise not_theirs(at, given)
    nothing_waits(at, given.request_id)
    _somebody_else_was_first(at, given)
    _said_of_the_shown(at, given)
    at.change(
        "INSERT INTO given VALUES (?, ?, ?, ?)",
        (given.request_id, given.label, person, at.seq),
    )


def answer_undone(at: Place, event: AnswerUndone) -> None:
    """Guard: an answer waits, and it is this person's."""
    if at.change(
        "DELETE FROM given WHERE request_id = ? AND person = ?",
        (event.request_id, event.actor.person),
    ):
        return
    row = at.row("SELECT person FROM given WHERE request_id = ?", (event.request_id,))
    if row is None:
        is_open(at, event.request_id)
        raise NotYourClaimError("no answer waits that could be taken back.")
    raise NotYourClaimError(f"{row[0]} gave the answer.")


def request_answered(at: Place, event: RequestAnswered) -> None:
    """Guards: open, and the current claim is the answering person's.

    An answer that waited must still wait; before any other, none may.
    """
    if event.waited:
        waits = at.row(
            "SELECT label, person FROM given WHERE request_id = ?", (event.request_id,)
        )
        if waits != (event.label, event.actor.person):
            is_open(at, event.request_id)
            raise NotYourClaimError("the answer was taken back.")
        at.change("DELETE FROM given WHERE request_id = ?", (event.request_id,))
    else:
        _said_of_the_shown(at, event)
    nothing_waits(at, event.request_id)
    _somebody_else_was_first(at, event)
    if at.change(
        """UPDATE requests SET outcome = 'answered', label = ?, answered_by = ?,
        resolved_at = ?, resolved_seq = ? WHERE request_id = ? AND cell_id = ?
        AND outcome = 'open' AND claim_epoch = ? AND claimed_by = ?
        AND claimed_by <> ''""",
        (
            event.label,
            event.actor.person,
            at.recorded_at,
            at.seq,
            event.request_id,
            event.cell_id,
            event.claim_epoch,
            event.actor.person,
        ),
    ):
        return
    raise not_theirs(at, event)


def request_ended(at: Place, event: RequestEnded) -> None:
    """Guards: open, an end that is no answer, and no answer waits."""
    if event.outcome not in ENDS:
        raise IllegalTransitionError(
            f"a request does not end {event.outcome.value} without an answer."
        )
    nothing_waits(at, event.request_id)
    if at.change(
        """UPDATE requests SET outcome = ?, resolved_at = ?, resolved_seq = ?
        WHERE request_id = ? AND cell_id = ? AND outcome = 'open'""",
        (
            event.outcome.value,
            at.recorded_at,
            at.seq,
            event.request_id,
            event.cell_id,
        ),
    ):
        return
    is_open(at, event.request_id)
    raise NotFoundError(f"cell {event.cell_id} has no request {event.request_id}.")


def not_theirs(at: Place, event: RequestAnswered) -> AndonError:
    """Say why this person may not answer this request under this claim."""
    holder, epoch = is_open(at, event.request_id)
    if epoch != event.claim_epoch:
        return StaleEpochError(f"{event.claim_epoch}, current {epoch}.")
    if holder == NOBODY:
        return NotYourClaimError("an answer needs a claim, and nobody has claimed it.")
    if holder != event.actor.person:
        return RequestClaimedError(f"claimed by {holder}.")
    return NotFoundError(f"cell {event.cell_id} has no request {event.request_id}.")


def _somebody_else_was_first(at: Place, event: RequestAnswered) -> None:
    """Raise OtherPersonError when this person gave the first of two opinions."""
    if at.row(
        "SELECT 1 FROM first_opinions WHERE request_id = ? AND person = ?",
        (event.request_id, event.actor.person),
    ):
        raise OtherPersonError("a second person has to agree.")


def _said_of_the_shown(at: Place, event: RequestAnswered) -> None:
    """Guard of an answer to what was not looked at: the one shown has the same answer.

    By the same person, and not taken back. An answer that waited was guarded when it
    was given, and is taken back together with that of the one shown.
    """
    if not event.shown:
        return
    said = (event.actor.person, event.label)
    waits = at.row(
        "SELECT person, label FROM given WHERE request_id = ?", (event.shown,)
    )
    final = at.row(
        """SELECT answered_by, label FROM requests
        WHERE request_id = ? AND outcome = 'answered'""",
        (event.shown,),
    )
    if said not in (waits, final):
        raise LookAloneError("of the one that was shown, this is not what was said.")


def nothing_waits(at: Place, request_id: str) -> None:
    """Raise AnswerWaitsError while an answer may still be taken back.

    Whoever gave it keeps the claim until it is final or undone, and nothing ends it.
    """
    row = at.row("SELECT label, person FROM given WHERE request_id = ?", (request_id,))
    if row is not None:
        raise AnswerWaitsError(
            f"{row[1]} answered {row[0]}, and may still take it back."
        )


def is_open(at: Place, request_id: str) -> tuple[str, int]:
    """Return who holds an open request, and its claim epoch.

    Raises:
        NotFoundError: there is no such request.
        RequestClosedError: it has ended.
    """
    row = at.row(
        """SELECT outcome, resolved_at, claimed_by, claim_epoch FROM requests
        WHERE request_id = ?""",
        (request_id,),
    )
    if row is None:
        raise NotFoundError(f"no request {request_id}.")
    outcome = Outcome(row[0])
    if outcome is not Outcome.OPEN:
        ended = datetime.fromisoformat(row[1])
        raise RequestClosedError(f"{WORDS[outcome]} at {ended:%H:%M:%S} UTC.")
    return row[2], row[3]
