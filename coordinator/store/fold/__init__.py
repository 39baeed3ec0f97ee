"""The fold: what each event changes in the tables, and what must hold before it may.

The same functions run when an event is committed and when `verify` makes the tables
again from the journal, so the tables cannot say what the journal does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from coordinator.errors import KeyReusedError
from coordinator.store.codec import Recorded
from coordinator.store.fold import (
    cells,
    clips,
    gates,
    learning,
    opinions,
    people,
    permits,
    requests,
    teaching,
)
from coordinator.store.fold.mentions import mentioned, rests_on
from coordinator.store.fold.place import Place
from coordinator.terms import events as e

__all__ = ["FOLDS", "Place", "fold", "mentioned", "rests_on"]

Fold = Callable[[Place, Any], None]

FOLDS: Final[Mapping[type[e.Event], tuple[Fold, ...]]] = {
    e.CoordinatorStarted: (),
    e.CoordinatorStopped: (),
    e.SessionOpened: (cells.session_opened,),
    e.SessionClosed: (),
    e.CellMoved: (cells.cell_moved,),
    e.WindowDecided: (permits.window_decided, cells.window_counted),
    e.PermitIssued: (permits.permit_issued,),
    e.PermitConsumed: (permits.permit_consumed,),
    e.PermitDropped: (permits.permit_dropped,),
    e.RequestOpened: (requests.request_opened,),
    e.RequestSeen: (requests.request_seen,),
    e.RequestClaimed: (requests.request_claimed,),
    e.ClaimEnded: (requests.claim_ended,),
    e.ClaimHandedOver: (opinions.claim_handed_over,),
    e.RequestArrived: (opinions.request_arrived,),
    e.RequestSkipped: (opinions.request_skipped,),
    e.FirstOpinion: (opinions.first_opinion,),
    e.OpinionKept: (opinions.opinion_kept,),
    e.FloodBegan: (),
    e.FloodEnded: (),
    e.KnownCaseEnded: (requests.known_case_ended,),
    e.ModelDoubted: (),
    e.AnswerGiven: (requests.answer_given,),
    e.AnswerUndone: (requests.answer_undone,),
    e.RequestAnswered: (requests.request_answered,),
    e.RequestEnded: (requests.request_ended,),
    e.RequestExplained: (),
    e.ClipStored: (clips.clip_stored,),
    e.ClipRemoved: (clips.clip_removed,),
    e.HoldPlaced: (cells.hold_placed, people.held_by_person),
    e.HoldReleased: (permits.released, cells.hold_released, people.let_go),
    e.HoldUnconfirmed: (cells.hold_unconfirmed,),
    e.HoldConfirmed: (cells.hold_confirmed,),
    e.PartRejected: (),
    e.ExampleAdded: (learning.example_added,),
    e.ExampleQuarantined: (learning.example_quarantined,),
    e.ExampleRetracted: (learning.example_retracted,),
    e.ExampleReinstated: (teaching.example_reinstated,),
    e.OpinionGiven: (teaching.opinion_given,),
    e.OpinionTakenBack: (teaching.opinion_taken_back,),
    e.LabelDecided: (teaching.label_decided,),
    e.LabelAdded: (learning.label_added,),
    e.DatasetImported: (),
    e.TrainingStarted: (),
    e.TrainingEnded: (),
    e.ModelRegistered: (learning.model_registered,),
    e.ModelRefused: (learning.model_refused,),
    e.ModelValidated: (learning.model_validated,),
    e.ModelPromoted: (learning.model_promoted,),
    e.ModelRolledBack: (learning.model_rolled_back,),
    e.GateCertified: (gates.gate_certified,),
    e.ProvisionalGranted: (gates.provisional_granted,),
    e.GateClosed: (gates.gate_closed,),
    e.EvidenceRestarted: (gates.evidence_restarted,),
    e.PersonAdded: (people.person_added,),
    e.PersonLocked: (people.person_locked,),
    e.PersonUnlocked: (people.person_unlocked,),
    e.RoleChanged: (people.role_changed,),
    e.PinChanged: (people.pin_changed,),
    e.TeamChanged: (people.team_changed,),
    e.PinRefused: (people.pin_refused,),
    e.PersonSessionStarted: (people.session_started,),
    e.PersonSessionEnded: (people.session_ended,),
}
"""Every event; an empty one changes no table and is only on record."""


def fold(at: Place, record: Recorded) -> None:
    """Let one entry change the tables.

    Raises:
        ConflictError: a guard failed; the caller rolls back.
        RoleError: the actor may not do this, or is not logged in any more.
        NotFoundError: the event is about something that is not there.
    """
    event = record.event
    people.authorise(at, event)
    if about := mentioned(event):
        at.db.executemany(
            "INSERT INTO mentions VALUES (?, ?)",
            [(one, at.seq) for one in sorted(about)],
        )
    if record.once is not None:
        person, key = record.once[:2]
        if not at.change(
            "INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?)",
            (*record.once, at.seq),
        ):
            raise KeyReusedError(f"{person} used the key {key} before.")
    for change in FOLDS[type(event)]:
        change(at, event)
