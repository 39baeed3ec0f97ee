"""Numbers, journal pages, cases and sheets on the wire: values to messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from andon.v1 import insight_pb2, learning_pb2
from coordinator.history import PastCase, Validation
from coordinator.insight import reports
from coordinator.insight.catches import Board
from coordinator.insight.explain import sentence
from coordinator.insight.handover import Line, Section
from coordinator.insight.numbers import Row
from coordinator.service.words import timestamp
from coordinator.store.codec import decode
from coordinator.terms.events import JournalEntry


def explain_entry(entry: JournalEntry) -> insight_pb2.ExplainEntry:
    """Convert an entry as it is recorded."""
    return insight_pb2.ExplainEntry(
        seq=entry.seq,
        recorded_at=timestamp(entry.recorded_at),
        kind=entry.kind,
        payload_json=entry.payload_json,
        hash=entry.hash,
    )


def journal_line(entry: JournalEntry) -> insight_pb2.JournalLine:
    """Convert an entry, with what it says and whom it names."""
    event: Any = decode(entry.kind, entry.payload_json)
    inner = [event, *(getattr(event, name, None) for name in _INNER)]
    actors = (getattr(one, "actor", None) for one in inner)
    person = next((actor.person for actor in actors if actor is not None), "")
    return insight_pb2.JournalLine(
        entry=explain_entry(entry),
        text=sentence(event),
        cell_id=_first(inner, "cell_id"),
        person=person or _first(inner, "person"),
    )


_INNER = ("request", "permit", "clip", "example")
"""Fields of events that are terms of their own."""


def _first(among: Iterable[object], name: str) -> str:
    """The first field of that name that says something."""
    return next((str(x) for one in among if (x := getattr(one, name, ""))), "")


def team_board(found: Board) -> list[insight_pb2.TeamCatches]:
    """Convert a team board: all together, then teams in the order of the alphabet."""
    rows = [("", found.all), *sorted(found.teams.items())]
    return [
        insight_pb2.TeamCatches(
            team=team,
            faults=caught.faults,
            errors=caught.errors,
            known=caught.known,
            known_right=caught.known_right,
        )
        for team, caught in rows
    ]


def numbers_row(row: Row) -> insight_pb2.NumbersRow:
    """Convert a row of numbers."""
    return insight_pb2.NumbersRow(
        family=row.family,
        cell_id=row.cell_id,
        numbers=row.numbers,
        trends=[
            insight_pb2.Trend(name=name, values=values)
            for name, values in row.trends.items()
            if values
        ],
    )


def case(past: PastCase) -> insight_pb2.Case:
    """Convert a case."""
    return insight_pb2.Case(
        window_id=past.window_id,
        request_id=past.request_id,
        cell_id=past.cell_id,
        part_id=past.part_id,
        cycle=past.cycle,
        clip_id=past.clip_id,
        truth=past.truth,
        said=past.said,
        confidence=past.confidence,
        novelty=past.novelty,
        alone=past.alone,
        at=timestamp(past.at),
    )


def section(told: Section) -> insight_pb2.HandoverSection:
    """Convert a part of the sheet."""
    return insight_pb2.HandoverSection(
        name=told.name, lines=[_line(line) for line in told.lines]
    )


def _line(line: Line) -> insight_pb2.HandoverLine:
    return insight_pb2.HandoverLine(
        cell_id=line.cell_id,
        text=line.text,
        at=timestamp(line.at),
        request_id=line.request_id,
    )


def validation_report(
    found: Validation, labels: Sequence[str]
) -> learning_pb2.ModelReport:
    """Convert what a validation kept."""
    report = model_report(found.cases, labels)
    report.passed = found.passed
    report.reasons.extend(found.reasons)
    return report


def model_report(
    cases: Sequence[reports.Spoken], labels: Sequence[str]
) -> learning_pb2.ModelReport:
    """Measure cases, and convert what comes of it."""
    counts = reports.confusion(cases)
    spoken = {name for pair in counts for name in pair}
    gone = sorted(spoken - set(labels))
    return learning_pb2.ModelReport(
        labels=[*labels, *gone],
        confusion=[
            learning_pb2.ConfusionCount(truth=truth, said=said, count=count)
            for (truth, said), count in sorted(counts.items())
        ],
        curve=[
            learning_pb2.RiskPoint(
                coverage=point.coverage, risk=point.risk, confidence=point.confidence
            )
            for point in reports.curve(cases)
        ],
        reliability=[
            learning_pb2.ReliabilityBin(
                confidence=one.confidence, right=one.right, count=one.count
            )
            for one in reports.reliability(cases)
        ],
        cases=len(cases),
    )
