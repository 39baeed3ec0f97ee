"""The story of one decision, window, request, part, model or example, in plain lines.

Everything comes from the journal: what is told here is what was recorded, in order.
"""

from __future__ import annotations

from collections.abc import Sequence

from coordinator.errors import NotFoundError
from coordinator.seams import StoreReader
from coordinator.store.codec import decode
from coordinator.terms import (
    Action,
    Actor,
    Decision,
    Digest,
    PermitPurpose,
    RequestKind,
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
_Request = (
    events.RequestOpened
    | events.RequestSeen
    | events.RequestClaimed
    | events.ClaimEnded
    | events.RequestAnswered
    | events.RequestEnded
)
_Clip = events.ClipStored | events.ClipRemoved
_Example = (
    events.ExampleAdded
    | events.ExampleQuarantined
    | events.ExampleRetracted
    | events.LabelAdded
    | events.DatasetImported
)
_Model = (
    events.TrainingStarted
    | events.TrainingEnded
    | events.ModelRegistered
    | events.ModelRefused
    | events.ModelValidated
    | events.ModelPromoted
    | events.ModelRolledBack
)

_MAY = {
    Action.CONTINUE: "go on",
    Action.REWORK: "do the operation again",
    Action.REJECT: "put the part aside",
    Action.STOP: "nothing",
}
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
            | events.RequestAnswered()
            | events.RequestEnded()
        ):
            return _of_request(event)
        case events.ClipStored() | events.ClipRemoved():
            return _of_clip(event)
        case (
            events.ExampleAdded()
            | events.ExampleQuarantined()
            | events.ExampleRetracted()
            | events.LabelAdded()
            | events.DatasetImported()
        ):
            return _of_example(event)
        case _:
            return _of_model(event)


def _of_program(event: _Program) -> str:
    match event:
        case events.CoordinatorStarted():
            after = " after an unclean end" if event.unclean else ""
            return (
                f"coordinator {event.version} ({_short(event.commit)}) started{after} "
                f"on {event.device}, configuration {_short(event.config_digest)}."
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
                f"{_by(event.actor)}{f': {why}' if why else ''}"
            ).rstrip(".") + "."
        case events.HoldPlaced():
            return (
                f"{event.cell_id} was held{_by(event.actor)}, {event.reason.name}: "
                f"{event.text}"
            )
        case events.HoldReleased():
            reasons = ", ".join(reason.name for reason in event.reasons)
            note = f', saying "{event.note}"' if event.note else ""
            part = f", the part to {event.disposition}" if event.disposition else ""
            return (
                f"{event.cell_id} was released from {reasons}{_by(event.actor)}"
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
                f"{_MAY[permit.action]}, rests on decision {permit.decision_id}"
                f"{_by(event.actor)}."
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
        else f" Model {_short(said.model_digest)} said {said.label} with "
        f"{said.confidence:.3f}, novelty {said.novelty:.2f}."
    )
    return f"{word} ({verdict.code}): {verdict.reason}{model}"


def _of_request(event: _Request) -> str:
    match event:
        case events.RequestOpened():
            asked = event.request
            kind = "question" if asked.kind is RequestKind.QUESTION else "audit"
            return (
                f"{kind} {asked.request_id} was opened about window {asked.window_id}, "
                f"{asked.time_allowed_ns / 1e9:.0f} s to answer, then "
                f"{asked.on_timeout.value}."
            )
        case events.RequestSeen():
            return f"{event.request_id} was looked at{_by(event.actor)}."
        case events.RequestClaimed():
            taken = f", taken from {event.taken_from}" if event.taken_from else ""
            return f"{event.request_id} was claimed{_by(event.actor)}{taken}."
        case events.ClaimEnded():
            return f"{event.request_id} is free again: {event.reason}."
        case events.RequestAnswered():
            kind = "a correction" if event.correction else "no correction"
            note = f', saying "{event.note}"' if event.note else ""
            return (
                f"{event.request_id} was answered {event.label}{_by(event.actor)}, "
                f"{kind}{note}."
            )
        case events.RequestEnded():
            next_one = f" {event.successor} follows." if event.successor else ""
            return (
                f"{event.request_id} ended as {event.outcome.value}: {event.text}"
                f"{next_one}"
            )


def _of_clip(event: _Clip) -> str:
    match event:
        case events.ClipStored():
            clip = event.clip
            return (
                f"clip {clip.clip_id} of window {clip.window_id} was stored for "
                f"{clip.request_id}: {clip.bytes / 1e6:.1f} MB, "
                f"{_short(clip.digest)}."
            )
        case events.ClipRemoved():
            return f"clip {event.clip_id} was removed: {event.reason}."


def _of_example(event: _Example) -> str:
    match event:
        case events.ExampleAdded():
            x = event.example
            said = f", where the model had said {x.guess}" if x.guess else ""
            return (
                f"window {x.window_id} became example {x.example_id} of {x.family}: "
                f"{x.label}, by {x.person} ({x.source.value}){said}."
            )
        case events.ExampleQuarantined():
            return f"example {event.example_id} was set aside: {event.reason}"
        case events.ExampleRetracted():
            return f"example {event.example_id} was taken back{_by(event.actor)}."
        case events.LabelAdded():
            return (
                f"{event.family} got the label {event.label.name}{_by(event.actor)}, "
                f"which lets the robot {_MAY[event.label.action]}."
            )
        case events.DatasetImported():
            return (
                f"dataset {event.dataset} brought {event.windows} windows to "
                f"{event.family}{_by(event.actor)}."
            )


def _of_model(event: _Model) -> str:
    match event:
        case events.TrainingStarted():
            return (
                f"training {event.run_id} of {event.family} began on {event.examples} "
                f"examples ({_short(event.snapshot_digest)}): {event.trigger}"
            )
        case events.TrainingEnded():
            return f"training {event.run_id} ended as {event.outcome}: {event.text}"
        case events.ModelRegistered():
            model = event.model
            return (
                f"model {_short(model.digest)}, version {model.version} of "
                f"{model.family}, came out of training {model.run_id}: "
                f"{model.network}, {model.examples} examples "
                f"({_short(model.snapshot_digest)}), commit "
                f"{_short(model.commit) or 'unknown'}."
            )
        case events.ModelRefused():
            reasons = " ".join(event.reasons)
            return f"model {_short(event.model_digest)} may not serve: {reasons}"
        case events.ModelValidated():
            return f"model {_short(event.model_digest)} may serve: {event.text}"
        case events.ModelPromoted():
            return (
                f"model {_short(event.model_digest)} serves {event.family}"
                f"{_by(event.actor)}, after {_short(event.previous) or 'none'}. "
                f"{event.text}"
            )
        case events.ModelRolledBack():
            return (
                f"model {_short(event.model_digest)} was taken back"
                f"{_by(event.actor)}; {_short(event.restored) or 'none'} serves "
                f"{event.family}. {event.text}"
            )


def _by(actor: Actor | None) -> str:
    if actor is None:
        return ""
    sure = (
        "" if actor.verified or actor.person.startswith("policy:") else ", unverified"
    )
    return f" by {actor.person}{sure}"


def _short(digest: Digest | str) -> str:
    return digest[:12]
