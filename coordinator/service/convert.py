"""Terms to andon.v1 messages: converted once, here at the edge; nothing is decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

import numpy as np

from andon.v1 import cell_pb2, learning_pb2, operator_pb2, terms_pb2
from coordinator.live.request.pressure import Load
from coordinator.live.request.view import Choice
from coordinator.service.words import duration, legible, timestamp, to_wire
from coordinator.terms import (
    CellId,
    CellStatus,
    Channel,
    Digest,
    Family,
    Label,
    LearningStatus,
    ModelRecord,
    OperatorRequest,
    Permit,
    Prediction,
    Scene,
    SensorWindow,
    Stand,
    Verdict,
    WindowId,
    WindowKind,
    events,
)

DIGEST_LENGTH = 64
"""Hexadecimal characters of a SHA-256."""


def channel(term: Channel) -> terms_pb2.Channel:
    """Convert a channel."""
    return terms_pb2.Channel(
        name=term.name,
        unit=term.unit,
        minimum=term.minimum,
        maximum=term.maximum,
        policy=to_wire(term.policy),
    )


def label(term: Label) -> terms_pb2.Label:
    """Convert a label."""
    return terms_pb2.Label(
        name=term.name,
        action=to_wire(term.action),
        must_never_miss=term.must_never_miss,
        text=term.text,
        urgent=term.urgent,
        second_opinion=term.second_opinion,
    )


def family_info(
    term: Family, words: Mapping[str, Mapping[str, str]]
) -> operator_pb2.FamilyInfo:
    """Convert a family, with the plant's own words by language."""
    return operator_pb2.FamilyInfo(
        family=term.family_id,
        channels=[channel(c) for c in term.channels],
        labels=[label(x) for x in term.labels],
        words={k: operator_pb2.PlantWords(words=w) for k, w in words.items()},
    )


def window(term: SensorWindow) -> terms_pb2.Window:
    """Convert a window."""
    rows, channels = term.samples.shape
    return terms_pb2.Window(
        window_id=term.window_id,
        kind=to_wire(term.kind),
        seq=term.seq,
        cycle=term.cycle,
        step=term.step,
        part_id=term.part_id,
        start_ns=term.start_ns,
        period_ns=term.period_ns,
        rows=rows,
        channels=channels,
        samples=np.ascontiguousarray(term.samples, dtype="<f4").tobytes(),
        present=np.ascontiguousarray(term.present, dtype=np.uint8).tobytes(),
        window_digest=term.digest,
        age=duration(term.age_ns),
        cut_at=timestamp(term.cut_at),
        gap_rows=term.gap_rows,
        offered_again=term.offered_again,
    )


def sensor_window(
    message: terms_pb2.Window,
    *,
    cell_id: CellId,
    kind: WindowKind,
    session_epoch: int,
    received_ns: int,
    on_way_ns: int,
) -> SensorWindow:
    """Convert a window whose shape was checked, and that was so long on its way."""
    shape = (message.rows, message.channels)
    samples = np.frombuffer(message.samples, dtype="<f4").reshape(shape)
    present = (
        np.frombuffer(message.present, dtype=np.uint8).astype(np.bool_)
        if message.present
        else np.ones(message.channels, dtype=np.bool_)
    )
    return SensorWindow(
        window_id=WindowId(message.window_id),
        cell_id=cell_id,
        kind=kind,
        session_epoch=session_epoch,
        seq=message.seq,
        cycle=message.cycle,
        step=message.step,
        part_id=message.part_id,
        start_ns=message.start_ns,
        period_ns=message.period_ns,
        samples=samples,
        present=present,
        digest=Digest(message.window_digest),
        age_ns=message.age.ToNanoseconds() + on_way_ns,
        received_ns=received_ns,
        cut_at=message.cut_at.ToDatetime(tzinfo=UTC),
        gap_rows=message.gap_rows,
        offered_again=message.offered_again,
    )


def prediction(term: Prediction) -> terms_pb2.Prediction:
    """Convert a prediction."""
    return terms_pb2.Prediction(
        model_digest=term.model_digest,
        labels=term.labels,
        logits=term.logits,
        probabilities=term.probabilities,
        confidence=term.confidence,
        novelty=term.novelty,
    )


def verdict(term: Verdict, decided: events.WindowDecided | None) -> terms_pb2.Verdict:
    """Convert a verdict, with its journal entry when there is one."""
    return terms_pb2.Verdict(
        decision_id=decided.decision_id if decided else "",
        decision=to_wire(term.decision),
        label=term.prediction.label if term.prediction else "",
        code=term.code,
        reason=term.reason,
        hold_reason=to_wire(term.hold_reason),
        prediction=prediction(term.prediction) if term.prediction else None,
        audited=decided.coin.drawn if decided else False,
        audit_probability=decided.coin.probability if decided else 0.0,
        measured=term.measured,
        limit=term.limit,
    )


def permit(term: Permit) -> terms_pb2.Permit:
    """Convert a permit."""
    return terms_pb2.Permit(
        permit_id=term.permit_id,
        purpose=to_wire(term.purpose),
        action=to_wire(term.action),
        label=term.label,
        session_epoch=term.session_epoch,
        decision_id=term.decision_id,
        window_digest=term.window_digest,
        cycle=term.cycle,
        start_within=duration(term.start_within_ns),
        heartbeat_seq=term.heartbeat_seq,
        maximum_execution=duration(term.maximum_execution_ns),
    )


_STANDS = {
    cell_pb2.STAND_AT_START: Stand.AT_START,
    cell_pb2.STAND_IN_STEP: Stand.IN_STEP,
    cell_pb2.STAND_PAUSED: Stand.PAUSED,
    cell_pb2.STAND_DECIDING: Stand.DECIDING,
    cell_pb2.STAND_STOPPED: Stand.STOPPED,
}


def scene(message: cell_pb2.Scene) -> Scene:
    """Convert a scene; an unknown stand is read as stopped, which permits nothing."""
    return Scene(
        stand=_STANDS.get(message.stand, Stand.STOPPED),
        cycle=message.cycle,
        step=legible(message.step),
        part_id=legible(message.part_id),
        window_digest=Digest(legible(message.window_digest, DIGEST_LENGTH)),
    )


def cell_status(term: CellStatus, now_ns: int) -> operator_pb2.CellStatus:
    """Convert a cell's present."""
    return operator_pb2.CellStatus(
        cell_id=term.cell_id,
        family=term.family,
        state=to_wire(term.state),
        reason=to_wire(term.worst),
        text=term.text,
        since_at=timestamp(term.since_at),
        in_state=duration(now_ns - term.since_ns),
        request_id=term.request_id,
        cycle=term.cycle,
        part_id=term.part_id,
        session_epoch=term.session_epoch,
        acted=term.acted,
        asked=term.asked,
        held=term.held,
        hold_unconfirmed=term.hold_unconfirmed,
        monitor_only=term.monitor_only,
    )


def request_summary(
    term: OperatorRequest, now_ns: int, *, alike: int = 1, blind: bool = False
) -> operator_pb2.RequestSummary:
    """Convert a request; `alike` counts the open ones of its cause, itself included.

    Of one that is asked blind neither the guess is said nor the reason, which names it.
    What the first of two people said is nobody's to see before the second.
    """
    return operator_pb2.RequestSummary(
        request_id=term.request_id,
        cell_id=term.cell_id,
        family=term.family,
        kind=to_wire(term.kind),
        raised_at=timestamp(term.raised_at),
        seen_at=timestamp(term.seen_at),
        claimed_at=timestamp(term.claimed_at),
        resolved_at=timestamp(term.resolved_at),
        time_left=duration(term.deadline_ns - now_ns),
        time_allowed=duration(term.time_allowed_ns),
        on_timeout=to_wire(term.on_timeout),
        priority=term.priority,
        level=term.level,
        claimed_by=term.claimed_by,
        claim_epoch=term.claim_epoch,
        outcome=to_wire(term.outcome),
        label=term.label,
        answered_by=term.answered_by,
        guess="" if blind else term.guess,
        reason="" if blind else term.reason,
        code="" if blind else term.code,
        cycle=term.cycle,
        part_id=term.part_id,
        clip_id=term.clip_id,
        pending_label=term.pending_label,
        pending_by=term.pending_by,
        undo_left=(
            duration(term.pending_until_ns - now_ns) if term.is_pending else None
        ),
        warned=term.warned,
        skipped_by=term.skipped_by,
        group_id="" if blind else term.cause,  # the others of its cause tell the guess
        group_size=alike if term.cause and not blind else 1,
        arrived_at=timestamp(term.arrived_at),
        arrived_by=term.arrived_by,
        first_opinion_by=term.first_by,
        disputed=bool(term.disputed_by),
    )


def load(term: Load) -> operator_pb2.Load:
    """Convert how much people are asked."""
    return operator_pb2.Load(
        flood=term.flood,
        since_at=timestamp(term.since_at),
        asked_10_min=term.asked_short,
        asked_hour=term.asked_hour,
        budget_hour=term.budget_hour,
        doubted=term.doubted,
        text=_advice(term),
    )


def _advice(term: Load) -> str:
    """What to do about the load, one sentence; "" when all is well."""
    if term.doubted:
        return (
            f"{', '.join(term.doubted)} asks in many cells at once: look for one cause."
        )
    if term.flood:
        return "More is asked than you can answer: fetch help, one card is one cause."
    return ""


def choice(term: Choice) -> operator_pb2.Choice:
    """Convert a plausible answer."""
    return operator_pb2.Choice(
        label=term.label, probability=term.probability, action=to_wire(term.action)
    )


def learning_status(term: LearningStatus) -> operator_pb2.LearningStatus:
    """Convert where the learning of a family stands."""
    left = term.seconds_left
    return operator_pb2.LearningStatus(
        family=term.family,
        phase=term.phase.value,
        model_digest=term.model_digest,
        model_version=term.model_version,
        examples=term.examples,
        until_training=term.until_training,
        progress=term.progress,
        time_left=None if left is None else duration(round(left * 1e9)),
        text=term.text,
        gate=term.gate.state.name,
        gate_text=term.gate.text,
        gate_audited=term.gate.audited,
        gate_needed=term.gate.needed or 0,
        gate_until=timestamp(term.gate.until),
    )


def model(term: ModelRecord) -> learning_pb2.Model:
    """Convert a model's record."""
    return learning_pb2.Model(
        model_digest=term.digest,
        family=term.family,
        version=term.version,
        state=learning_pb2.ModelState.Value(f"MODEL_STATE_{term.state.name}"),
        trained_at=timestamp(term.trained_at),
        training_time=duration(round(term.training_s * 1e9)),
        examples=term.examples,
        snapshot_digest=term.snapshot_digest,
        parent_digest=term.parent,
        network=term.network,
        metrics=dict(term.metrics),
        commit=term.commit,
        text=term.text,
        live_at=timestamp(term.live_at),
        promoted_by=term.promoted_by,
    )
