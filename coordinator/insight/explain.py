"""The story of one decision, window, request, part, model or example, in plain lines.

Everything comes from the journal: what is told here is what was recorded, in order.
"""

from __future__ import annotations

from collections.abc import Sequence

from coordinator.errors import NotFoundError
from coordinator.insight.explain_learning import (
    MAY,
    OfExample,
    OfGate,
    OfModel,
    by,
    of_example,
    of_gate,
    of_model,
    short,
)
from coordinator.insight.explain_people import (
    OfAccount,
    OfSession,
    of_account,
    of_session,
)
from coordinator.insight.explain_requests import of_request
from coordinator.seams import StoreReader
from coordinator.store.codec import decode
from coordinator.terms import (
    Decision,
    PermitPurpose,
    Verdict,
    WindowKind,
    events,
)
from coordinator.terms.events import Event, JournalEntry

_Program = (
    events.CoordinatorStarted
    | events.CoordinatorStopped
    | events.SessionOpened
    | events.SessionClosed
)
_Cell = (
    events.CellMoved
    | events.HoldPlaced
    | events.HoldReleased
    | events.HoldUnconfirmed
    | events.HoldConfirmed
    | events.PartRejected
)
_Step = (
    events.WindowDecided
    | events.PermitIssued
    | events.PermitConsumed
    | events.PermitDropped
)
_Clip = events.ClipStored | events.ClipRemoved
_Beside = OfExample | OfGate | OfModel | OfAccount | OfSession
_PURPOSE = {
    PermitPurpose.START: "to start",
    PermitPurpose.NEXT_STEP: "for the next step",
    PermitPurpose.RESUME: "to resume",
}


async def explain(store: StoreReader, about: str) -> list[str]:
    """Tell what the journal knows about one id.

    Args:
        store: Where the journal is.
        about: Id of a decision, window, request, part, permit, model or example.

    Raises:
        NotFoundError: nothing is recorded under this id.
    """
    entries = await store.story(about)
    if not entries:
        raise NotFoundError(f"nothing is recorded under {about[:80]!a}.")
    return lines(entries)


def lines(entries: Sequence[JournalEntry]) -> list[str]:
    """Return one line a journal entry: time in UTC, number, what happened."""
    return [
        f"{entry.recorded_at:%Y-%m-%d %H:%M:%S} #{entry.seq} "
        f"{sentence(decode(entry.kind, entry.payload_json))}"
        for entry in entries
    ]


def sentence(event: Event) -> str:
    """Say what happened in one sentence; whatever people typed stays on one line."""
    return " ".join(
        "".join(c if c.isprintable() else " " for c in _said(event)).split()
    )


def _said(event: Event) -> str:
    match event:
        case (
            events.CoordinatorStarted()
            | events.CoordinatorStopped()
            | events.SessionOpened()
            | events.SessionClosed()
        ):
            return _of_program(event)
        case (
            events.CellMoved()
            | events.HoldPlaced()
            | events.HoldReleased()
            | events.HoldUnconfirmed()
            | events.HoldConfirmed()
            | events.PartRejected()
        ):
            return _of_cell(event)
        case (
            events.WindowDecided()
            | events.PermitIssued()
            | events.PermitConsumed()
            | events.PermitDropped()
        ):
            return _of_step(event)
        case (
            events.RequestOpened()
            | events.RequestSeen()
            | events.RequestClaimed()
            | events.ClaimEnded()
            | events.RequestExplained()
            | events.RequestEnded()
            | events.RequestAnswered()
            | events.AnswerGiven()
            | events.AnswerUndone()
            | events.ClaimHandedOver()
            | events.FirstOpinion()
            | events.FloodBegan()
            | events.FloodEnded()
            | events.KnownCaseEnded()
            | events.ModelDoubted()
            | events.OpinionKept()
            | events.RequestArrived()
            | events.RequestSkipped()
        ):
            return of_request(event)
        case events.ClipStored() | events.ClipRemoved():
            return _of_clip(event)
        case _:
            return _said_beside(event)


def _said_beside(event: _Beside) -> str:
    """What no cell waits for: learning, the gate, people."""
    match event:
        case (
            events.ExampleAdded()
            | events.ExampleQuarantined()
            | events.ExampleRetracted()
            | events.ExampleReinstated()
            | events.OpinionGiven()
            | events.OpinionTakenBack()
            | events.LabelDecided()
            | events.LabelAdded()
            | events.DatasetImported()
        ):
            return of_example(event)
        case (
            events.GateCertified()
            | events.ProvisionalGranted()
            | events.GateClosed()
            | events.EvidenceRestarted()
        ):
            return of_gate(event)
        case (
            events.PersonAdded()
            | events.PersonLocked()
            | events.PersonUnlocked()
            | events.RoleChanged()
            | events.PinChanged()
            | events.TeamChanged()
        ):
            return of_account(event)
        case (
            events.PinRefused()
            | events.PersonSessionStarted()
            | events.PersonSessionEnded()
        ):
            return of_session(event)
        case _:
            return of_model(event)


def _of_program(event: _Program) -> str:
    match event:
        case events.CoordinatorStarted():
            after = " after an unclean end" if event.unclean else ""
            return (
                f"coordinator {event.version} ({short(event.commit)}) started{after} "
                f"on {event.device}, configuration {short(event.config_digest)}."
            )
        case events.CoordinatorStopped():
            return f"coordinator stopped: {event.reason}."
        case events.SessionOpened():
            return (
                f"{event.cell_id}: node {event.node_id} ({event.software}) opened "
                f"session {event.epoch}."
            )
        case events.SessionClosed():
            return f"{event.cell_id}: session {event.epoch} ended: {event.reason}."


def _of_cell(event: _Cell) -> str:
    match event:
        case events.CellMoved():
            reasons = ", ".join(reason.name for reason in event.reasons)
            why = "; ".join(part for part in (reasons, event.text) if part)
            return (
                f"{event.cell_id} went from {event.before.value} to {event.after.value}"
                f"{by(event.actor)}{f': {why}' if why else ''}"
            ).rstrip(".") + "."
        case events.HoldPlaced():
            return (
                f"{event.cell_id} was held{by(event.actor)}, {event.reason.name}: "
                f"{event.text}"
            )
        case events.HoldReleased():
            reasons = ", ".join(reason.name for reason in event.reasons)
            note = f', saying "{event.note}"' if event.note else ""
            part = f", the part to {event.disposition}" if event.disposition else ""
            return (
                f"{event.cell_id} was released from {reasons}{by(event.actor)}"
                f"{part}{note}."
            )
        case events.HoldUnconfirmed():
            return f"{event.cell_id}'s robot did not confirm that it holds."
        case events.HoldConfirmed():
            return f"{event.cell_id}'s robot was known to stand, or to work, again."
        case events.PartRejected():
            return (
                f"part {event.part_id} of cycle {event.cycle} was booked as rejected: "
                f"nobody answered request {event.request_id}."
            )


def _of_step(event: _Step) -> str:
    match event:
        case events.WindowDecided():
            kind = "" if event.kind is WindowKind.DECISION else "monitor "
            audit = (
                f" Drawn for audit (p = {event.coin.probability:g})."
                if event.coin.drawn
                else ""
            )
            return (
                f"{event.cell_id}, cycle {event.cycle}, part {event.part_id}: decision "
                f"{event.decision_id} on {kind}window {event.window_id} is "
                f"{_verdict(event.verdict)}{audit}"
            )
        case events.PermitIssued():
            permit = event.permit
            label = f" as {permit.label}" if permit.label else ""
            return (
                f"permit {permit.permit_id} {_PURPOSE[permit.purpose]}{label}, to "
                f"{MAY[permit.action]}, rests on decision {permit.decision_id}"
                f"{by(event.actor)}."
            )
        case events.PermitConsumed():
            return f"{event.cell_id} began the step of permit {event.permit_id}."
        case events.PermitDropped():
            return (
                f"{event.cell_id} did not use permit {event.permit_id}, {event.token}: "
                f"{event.text}"
            )


def _verdict(verdict: Verdict) -> str:
    word = {
        Decision.ACT: "to act alone",
        Decision.ASK: "to ask",
        Decision.HOLD: "to hold",
    }[verdict.decision]
    said = verdict.prediction
    model = (
        " No model was asked."
        if said is None
        else f" Model {short(said.model_digest)} said {said.label} with "
        f"{said.confidence:.3f}, novelty {said.novelty:.2f}."
    )
    return f"{word} ({verdict.code}): {verdict.reason}{model}"


def _of_clip(event: _Clip) -> str:
    match event:
        case events.ClipStored():
            clip = event.clip
            return (
                f"clip {clip.clip_id} of window {clip.window_id} was stored for "
                f"{clip.request_id}: {clip.bytes / 1e6:.1f} MB, "
                f"{short(clip.digest)}."
            )
        case events.ClipRemoved():
            return f"clip {event.clip_id} was removed: {event.reason}."
