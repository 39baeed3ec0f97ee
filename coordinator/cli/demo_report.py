"""What a demo proved: pure functions from records to the numbers of demo-report.json.

Four records that know nothing of each other are joined: the coordinator's journal, what
the simulated cells wrote down as the truth, what the nodes traced by their own clocks,
and which answers the simulated operator saw acknowledged. A number that could flatter
is taken from the record that would not: latency and moves from the nodes, errors from
the truth, loss from whoever was promised something.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from coordinator.cli.demo_gate import gate_story
from coordinator.cli.demo_records import (
    ConsumedPermit,
    NodeTrace,
    Recorded,
    Records,
    Truth,
    WindowKey,
)
from coordinator.terms import (
    CellId,
    Decision,
    DecisionId,
    Digest,
    Permit,
    PermitId,
    RequestId,
    RequestKind,
    WindowKind,
)
from coordinator.terms import events as ev

BLOCK: Final = 50
"""Decision windows in a block of a learning curve."""
NS_PER_MS: Final = 1e6


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """One decision window with what became of it in the end.

    Attributes:
        decision: ASK if a person was ever asked about it, else its last verdict.
        label: The model's first guess; "" without a model.
    """

    cell_id: CellId
    cycle: int
    digest: Digest
    decision: Decision
    label: str


def judged_windows(journal: Sequence[Recorded]) -> list[JudgedWindow]:
    """Every decision window once, in the order they were first judged.

    A window offered again after a lost link is the same evidence: it keeps its place,
    and a question that was ever asked about it stays a question.
    """
    windows: dict[WindowKey, JudgedWindow] = {}
    for entry in journal:
        event = entry.event
        if not isinstance(event, ev.WindowDecided):
            continue
        if event.kind is not WindowKind.DECISION:
            continue
        key = (event.cell_id, event.window_digest)
        before = windows.get(key)
        if before is not None and before.decision is Decision.ASK:
            continue
        prediction = event.verdict.prediction
        windows[key] = JudgedWindow(
            cell_id=event.cell_id,
            cycle=event.cycle,
            digest=event.window_digest,
            decision=event.verdict.decision,
            label="" if prediction is None else prediction.label,
        )
    return list(windows.values())


def blocks_of(
    windows: Sequence[JudgedWindow], size: int = BLOCK
) -> list[Sequence[JudgedWindow]]:
    """Cut into blocks; a last one of less than half a block joins its neighbour."""
    starts = list(range(0, len(windows), size))
    if len(starts) > 1 and len(windows) - starts[-1] < size / 2:
        starts.pop()
    ends = [*starts[1:], len(windows)][: len(starts)]
    return [windows[start:end] for start, end in zip(starts, ends, strict=True)]


def questions_per_100(windows: Sequence[JudgedWindow]) -> float:
    """Questions per 100 decision windows.

    A question holds a cell until a person answers. An audit of a window decided
    alone holds nobody up and is not a question. A window offered again counts once.
    """
    asked = sum(window.decision is Decision.ASK for window in windows)
    return 100.0 * asked / len(windows)


def automated_error(
    windows: Sequence[JudgedWindow], truth: Mapping[tuple[CellId, int], Truth]
) -> float | None:
    """Share of the windows decided alone whose label is not the truth.

    Prequential: each is scored with the model that served when it came. None where
    nothing was decided alone, because a share of nothing is not 0 %.
    """
    scored = [
        window.label == truth[window.cell_id, window.cycle].label
        for window in windows
        if window.decision is Decision.ACT and (window.cell_id, window.cycle) in truth
    ]
    return 1.0 - sum(scored) / len(scored) if scored else None


def missed_faults(
    windows: Sequence[JudgedWindow],
    truth: Mapping[tuple[CellId, int], Truth],
    default_label: str,
) -> int:
    """Windows let pass alone as the default label although the truth is a fault."""
    unknown = Truth(default_label)
    return sum(
        window.decision is Decision.ACT
        and window.label == default_label
        and truth.get((window.cell_id, window.cycle), unknown).label != default_label
        for window in windows
    )


def decision_latencies_ms(journal: Sequence[Recorded], trace: NodeTrace) -> list[float]:
    """Window cut to permit received, in ms by the node's clock, rising.

    Of the windows that were decided alone: a person's thinking is not latency. A window
    that was offered again after a lost link is left out: the outage is not latency.
    """
    alone: set[DecisionId] = set()
    permits: dict[PermitId, Permit] = {}
    for entry in journal:
        match entry.event:
            case ev.WindowDecided() as decided:
                if decided.verdict.decision is Decision.ACT:
                    alone.add(decided.decision_id)
            case ev.PermitIssued() as issued:
                permits[issued.permit.permit_id] = issued.permit
            case _:
                pass
    latencies = []
    for consumed in trace.consumed:
        permit = permits.get(consumed.permit_id)
        if permit is None or permit.decision_id not in alone:
            continue
        key = (consumed.cell_id, permit.window_digest)
        if key in trace.cut_ns and key not in trace.offered_again:
            latencies.append((consumed.received_ns - trace.cut_ns[key]) / NS_PER_MS)
    return sorted(latencies)


def percentile(rising: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of the values do not exceed."""
    if not rising:
        return None
    rank = max(1, math.ceil(share * len(rising)))
    return rising[rank - 1]


def seconds_to_first_question(records: Records) -> float | None:
    """From serving to the first question that holds a cell, in s; None without one."""
    if records.serving_at is None:
        return None
    for entry in records.journal:
        event = entry.event
        if (
            isinstance(event, ev.RequestOpened)
            and event.request.kind is RequestKind.QUESTION
        ):
            return (entry.recorded_at - records.serving_at).total_seconds()
    return None


def vanished_requests(records: Records) -> frozenset[RequestId]:
    """Requests that were opened and are neither open nor ended."""
    opened: set[RequestId] = set()
    ended: set[RequestId] = set()
    for entry in records.journal:
        match entry.event:
            case ev.RequestOpened() as event:
                opened.add(event.request.request_id)
            case ev.RequestAnswered() | ev.RequestEnded() as event:
                ended.add(event.request_id)
            case _:
                pass
    return frozenset(opened - ended - records.open_requests)


def lost(records: Records) -> int:
    """What was promised or sent and cannot be found.

    The sum of: answers that were acknowledged and are not in the journal with their
    label; requests that were opened and are neither open nor ended; decision windows
    that a node sent and that were neither judged nor refused, in any session.
    """
    answered: set[tuple[RequestId, str]] = set()
    judged: set[WindowKey] = set()
    for entry in records.journal:
        match entry.event:
            case ev.RequestAnswered() as event:
                answered.add((event.request_id, event.label))
            case ev.WindowDecided() as event:
                judged.add((event.cell_id, event.window_digest))
            case _:
                pass
    trace = records.trace
    lost_answers = sum(pair not in answered for pair in records.acknowledged)
    lost_requests = len(vanished_requests(records))
    lost_windows = len(trace.sent - judged - trace.refused - records.in_flight)
    return lost_answers + lost_requests + lost_windows


def moves_without_permit(journal: Sequence[Recorded], trace: NodeTrace) -> int:
    """Motions that began without leave, told by the robots themselves.

    A motion has leave when its permit was journalled exactly once and for this cell,
    was consumed exactly once by this cell's node, before it expired by that node's
    clock, and no motion began under it before.
    """
    issued: Counter[tuple[CellId, PermitId]] = Counter()
    for entry in journal:
        if isinstance(entry.event, ev.PermitIssued):
            permit = entry.event.permit
            issued[permit.cell_id, permit.permit_id] += 1
    consumed: dict[tuple[CellId, PermitId], list[ConsumedPermit]] = {}
    for one in trace.consumed:
        consumed.setdefault((one.cell_id, one.permit_id), []).append(one)
    used: Counter[tuple[CellId, PermitId]] = Counter()
    without = 0
    for move in trace.moves:
        key = (move.cell_id, move.permit_id)
        used[key] += 1
        uses = consumed.get(key, [])
        has_leave = (
            used[key] == 1
            and issued[key] == 1
            and len(uses) == 1
            and uses[0].consumed_ns < uses[0].start_by_ns
            and uses[0].consumed_ns <= move.begun_ns
        )
        without += not has_leave
    return without


def holds_after_ms(trace: NodeTrace, killed_ns: int) -> dict[CellId, float | None]:
    """How long after a moment each cell's robot was told to hold, in ms.

    Args:
        trace: Of the nodes, on the monotonic clock of this computer.
        killed_ns: The moment, same clock.

    Returns:
        By cell: 0 for one that was held already, with no permit consumed since; None
        for one that never held.
    """
    lags: dict[CellId, float | None] = {}
    for cell_id, holds_ns in trace.holds_ns.items():
        before = [at_ns for at_ns in holds_ns if at_ns < killed_ns]
        after = [at_ns for at_ns in holds_ns if at_ns >= killed_ns]
        permits = [c.consumed_ns for c in trace.consumed if c.cell_id == cell_id]
        since = before[-1] if before else killed_ns
        if before and not any(since <= at_ns < killed_ns for at_ns in permits):
            lags[cell_id] = 0.0
        else:
            lags[cell_id] = (after[0] - killed_ns) / NS_PER_MS if after else None
    return lags


def report(records: Records, *, block: int = BLOCK) -> dict[str, object]:
    """The content of demo-report.json.

    windows: decision windows that were judged, each once. acted, asked, held: how many
    of them were decided alone, put to a person, or refused as unusable. answered:
    answers of people in the journal; corrections: those that were not the model's first
    guess. audits: windows decided alone that a person was shown as well. retrains:
    trainings that gave a candidate; promotions and promotions_refused: what became of
    them. dropped: messages and permits dropped at the nodes, by reason. gate: when it
    opened and shut. The other keys are the functions of this module.
    """
    windows = judged_windows(records.journal)
    verdicts = Counter(window.decision for window in windows)
    kinds = Counter(type(entry.event).__name__ for entry in records.journal)
    cut = blocks_of(windows, block)
    latencies = decision_latencies_ms(records.journal, records.trace)
    return {
        "windows": len(windows),
        "acted": verdicts[Decision.ACT],
        "asked": verdicts[Decision.ASK],
        "held": verdicts[Decision.HOLD],
        "answered": kinds["RequestAnswered"],
        "corrections": sum(
            isinstance(entry.event, ev.RequestAnswered) and entry.event.correction
            for entry in records.journal
        ),
        "audits": sum(
            isinstance(entry.event, ev.RequestOpened)
            and entry.event.request.kind is RequestKind.AUDIT
            for entry in records.journal
        ),
        "retrains": sum(
            isinstance(entry.event, ev.TrainingEnded)
            and entry.event.outcome == "trained"
            for entry in records.journal
        ),
        "promotions": kinds["ModelPromoted"],
        "promotions_refused": kinds["ModelRefused"],
        "questions_per_100_cycles": [round(questions_per_100(b), 1) for b in cut],
        "automated_error": [_rounded(automated_error(b, records.truth)) for b in cut],
        "missed_faults": missed_faults(windows, records.truth, records.default_label),
        "latency_ms": {
            "p50": _rounded(percentile(latencies, 0.50), 2),
            "p99": _rounded(percentile(latencies, 0.99), 2),
        },
        "seconds_to_first_question": _rounded(seconds_to_first_question(records), 2),
        "dropped": dict(sorted(records.trace.dropped.items())),
        "gate": gate_story(records.journal),
        "lost": lost(records),
        "moves_without_permit": moves_without_permit(records.journal, records.trace),
    }


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)
