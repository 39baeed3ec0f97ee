"""Messages of andon.v1 become values of `tui.terms`: here, once, and nowhere else."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import Enum
from itertools import takewhile
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from andon.v1 import learning_pb2, operator_pb2
from andon.v1 import terms_pb2 as words
from tui import board, terms
from tui.errors import RefusedError
from tui.evidence import Choice, Evidence, Near, Trace, Why

_E = TypeVar("_E", bound=Enum)


def word(kind: type[_E], number: int, newer: _E, *, first: int = 0) -> _E:
    """The word of an enum of the contract; the members stand in the contract's order.

    Args:
        kind: Which words.
        number: What came over the wire.
        newer: What to take for a number that this terminal does not know.
        first: Number of the first member: 1 where "unspecified" is never sent.
    """
    members = tuple(kind)
    return members[number - first] if 0 <= number - first < len(members) else newer


def action(number: int) -> terms.Action:
    """What a label lets the robot do; a newer word than we know lets nothing."""
    return word(terms.Action, number, terms.Action.STOP)


def seconds(duration: Duration) -> float:
    """A duration in seconds."""
    return duration.seconds + duration.nanos / 1e9


def _moment(stamp: Timestamp) -> datetime | None:
    return stamp.ToDatetime(tzinfo=UTC) if stamp.ByteSize() else None


def events(response: operator_pb2.WatchResponse, now_s: float) -> Iterator[board.Event]:
    """What a watch said, in the order in which it is to be folded."""
    if response.missed:
        yield board.ChangesMissed(response.missed, now_s)
    match response.WhichOneof("change"):
        case "snapshot":
            yield _pictured(response.snapshot, now_s)
        case "cell":
            yield board.CellChanged(cell(response.cell, now_s), now_s)
        case "request":
            yield board.RequestChanged(request(response.request, now_s), now_s)
        case "presence":
            yield board.PresenceChanged(_presence(response.presence))
        case "learning":
            yield board.LearningChanged(_stands(response.learning, now_s), now_s)
        case _:  # a tick, or a change that is newer than this terminal
            return


def _pictured(snapshot: operator_pb2.Snapshot, now_s: float) -> board.Pictured:
    return board.Pictured(
        cells=tuple(cell(one, now_s) for one in snapshot.cells),
        requests=tuple(request(one, now_s) for one in snapshot.requests),
        presence=_presence(snapshot.presence),
        learning=tuple(_stands(stands, now_s) for stands in snapshot.learning),
        families=tuple(_family(family) for family in snapshot.families),
        coordinator=snapshot.coordinator,
        at_s=now_s,
    )


def cell(said: operator_pb2.CellStatus, now_s: float) -> terms.Cell:
    """One cell; now_s is the moment of arrival."""
    return terms.Cell(
        cell_id=said.cell_id,
        family=said.family,
        # A newer word than this terminal's is shown as the least promising it has.
        state=word(terms.CellState, said.state, terms.CellState.OFFLINE, first=1),
        reason=word(terms.HoldReason, said.reason, terms.HoldReason.INTEGRITY),
        text=said.text,
        since_s=now_s - seconds(said.in_state),
        request_id=said.request_id,
        cycle=said.cycle,
        part_id=said.part_id,
        acted=said.acted,
        asked=said.asked,
        held=said.held,
        hold_unconfirmed=said.hold_unconfirmed,
        monitor_only=said.monitor_only,
    )


def request(said: operator_pb2.RequestSummary, now_s: float) -> terms.Request:
    """One request; now_s is the moment of arrival."""
    audit = said.kind == operator_pb2.REQUEST_KIND_AUDIT
    reject = said.on_timeout == words.TIMEOUT_OUTCOME_REJECT
    return terms.Request(
        request_id=said.request_id,
        cell_id=said.cell_id,
        family=said.family,
        kind=terms.RequestKind.AUDIT if audit else terms.RequestKind.QUESTION,
        deadline_s=now_s + seconds(said.time_left),
        allowed_s=seconds(said.time_allowed),
        on_timeout=terms.TimeoutOutcome.REJECT if reject else terms.TimeoutOutcome.HOLD,
        priority=said.priority,
        level=said.level,
        claimed_by=said.claimed_by,
        claim_epoch=said.claim_epoch,
        outcome=word(terms.Outcome, said.outcome, terms.Outcome.CANCELLED),
        label=said.label,
        answered_by=said.answered_by,
        guess=said.guess,
        reason=said.reason,
        cycle=said.cycle,
        part_id=said.part_id,
        clip_id=said.clip_id,
        pending_label=said.pending_label,
        pending_by=said.pending_by,
        final_s=now_s + seconds(said.undo_left) if said.pending_label else 0.0,
        warned=said.warned,
        skipped_by=tuple(said.skipped_by),
        first_by=said.first_opinion_by,
        arrived_by=said.arrived_by,
        group_id=said.group_id,
        code=said.code,
    )


def _presence(presence: operator_pb2.Presence) -> terms.Presence:
    load = presence.load
    return terms.Presence(
        answering=presence.answering,
        people=tuple(presence.people),
        nobody=presence.nobody,
        flood=load.flood,
        asked_10_min=load.asked_10_min,
        advice=load.text,
    )


def _stands(stands: operator_pb2.LearningStatus, now_s: float) -> terms.Learning:
    left = stands.time_left
    return terms.Learning(
        family=stands.family,
        phase=stands.phase,
        version=stands.model_version,
        model_digest=stands.model_digest,
        examples=stands.examples,
        until_training=stands.until_training,
        progress=min(1.0, stands.progress) if stands.progress > 0.0 else 0.0,
        ends_s=now_s + seconds(left) if stands.HasField("time_left") else None,
        text=stands.text,
        gate=stands.gate,
        gate_text=stands.gate_text,
        gate_audited=stands.gate_audited,
        gate_needed=stands.gate_needed,
    )


def _family(family: operator_pb2.FamilyInfo) -> terms.Family:
    channels = tuple(terms.Channel(c.name, c.unit) for c in family.channels)
    words = {tag: dict(spoken.words) for tag, spoken in family.words.items()}
    labels = tuple(map(_label, family.labels))
    return terms.Family(family.family, channels, labels, words)


def labels(said: Iterable[words.Label]) -> tuple[terms.Label, ...]:
    """The labels of a family, in their order."""
    return tuple(map(_label, said))


def _label(label: words.Label) -> terms.Label:
    return terms.Label(
        label.name,
        action(label.action),
        label.text,
        label.must_never_miss,
        label.urgent,
    )


def evidence(found: operator_pb2.GetRequestResponse, now_s: float) -> Evidence:
    """What a request shows.

    Raises:
        RefusedError: The samples do not fill their grid: nobody should answer on them.
    """
    window, prediction = found.window, found.verdict.prediction
    beliefs = zip(prediction.labels, prediction.probabilities, strict=False)
    asked = prediction.labels or prediction.model_digest
    return Evidence(
        request=request(found.summary, now_s),
        view_digest=found.view_digest,
        duration_s=max(0, window.rows - 1) * window.period_ns / 1e9,
        traces=_traces(found),
        choices=tuple(
            Choice(c.label, c.probability, action(c.action)) for c in found.choices
        ),
        labels=tuple(map(_label, found.labels)),
        beliefs=dict(beliefs),
        novelty=prediction.novelty if asked else math.nan,
        reason=found.verdict.reason or found.summary.reason,
        nearest=tuple(Near(near.label, near.distance) for near in found.nearest),
        why=_why(found),
        blind=found.blind,
        least_s=found.view_at_least.ToTimedelta().total_seconds()
        if found.view_enforced
        else 0.0,
    )


def _why(found: operator_pb2.GetRequestResponse) -> Why:
    """What the weights and the choices are about."""
    why, verdict = found.why, found.verdict
    return Why(
        code=verdict.code or found.summary.code,
        measured=verdict.measured if verdict.HasField("measured") else math.nan,
        limit=verdict.limit if verdict.HasField("limit") else math.nan,
        about=why.about,
        coverage=why.coverage,
        held_out=why.held_out,
        needed=why.needed,
        plausible=why.plausible,
        lacks=tuple(why.lacks),
    )


def _traces(found: operator_pb2.GetRequestResponse) -> tuple[Trace, ...]:
    """The columns of the window, the most telling first."""
    window = found.window
    rows, columns = window.rows, window.channels
    if len(window.samples) != 4 * rows * columns or len(found.channels) != columns:
        raise RefusedError(
            "BAD_EVIDENCE",
            f"The window has {len(window.samples)} bytes for {rows} rows of {columns} "
            f"channels, of which {len(found.channels)} are named.",
        )
    samples = struct.unpack(f"<{rows * columns}f", window.samples)
    present = window.present or b"\x01" * columns
    weights = {weight.channel: weight for weight in found.weights}
    alike = list(takewhile(len, (_alike(n.window, window) for n in found.nearest)))
    traces = []
    for column, channel in enumerate(found.channels):
        weight = weights.get(channel.name)
        traces.append(
            Trace(
                channel=terms.Channel(channel.name, channel.unit),
                values=samples[column::columns],
                weight=weight.weight if weight else 0.0,
                first_row=weight.first_row if weight else 0,
                last_row=weight.last_row if weight else -1,
                present=column < len(present) and present[column] != 0,
                rows=tuple(weight.rows) if weight else (),
                against=weight.against if weight else False,
                alike=tuple(samples[column::columns] for samples in alike),
            )
        )
    return tuple(sorted(traces, key=lambda trace: -trace.weight))


def _alike(near: words.Window, window: words.Window) -> tuple[float, ...]:
    """The samples of an alike example, () when it cannot be drawn beside."""
    size = near.rows * near.channels
    if near.channels != window.channels or len(near.samples) != 4 * size:
        return ()
    return struct.unpack(f"<{size}f", near.samples)


def model(said: learning_pb2.Model) -> terms.Model:
    """One said."""
    return terms.Model(
        digest=said.model_digest,
        family=said.family,
        version=said.version,
        state=word(terms.ModelState, said.state, terms.ModelState.UNKNOWN),
        trained_at=_moment(said.trained_at),
        training_s=seconds(said.training_time),
        examples=said.examples,
        parent_digest=said.parent_digest,
        network=said.network,
        metrics=dict(said.metrics),
        text=said.text,
        promoted_by=said.promoted_by,
    )
