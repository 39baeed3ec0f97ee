"""What the terminal asks about the past; with `link`, all that speaks gRPC here.

Reads alone. Everything that changes something goes through `link`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from andon.v1 import (
    insight_pb2,
    insight_pb2_grpc,
    learning_pb2,
    learning_pb2_grpc,
)
from tui import past
from tui.link import Link, replied

READ_S: Final = 10.0
"""Longest wait for a reading, s: a day of numbers takes a moment."""

PAGE: Final = 100
"""Entries, or cases, of a page."""


class Archive:
    """Everything a person can look up; make it with the link it goes through."""

    def __init__(self, link: Link) -> None:
        self._insight = insight_pb2_grpc.InsightServiceStub(link.channel)
        self._learning = learning_pb2_grpc.LearningServiceStub(link.channel)

    async def numbers(self, span: str, back: timedelta) -> past.Numbers:
        """The key numbers of the last so and so long; gates are fetched apart."""
        ask = insight_pb2.GetNumbersRequest(back=_duration(back))
        found = await replied(self._insight.GetNumbers(ask, timeout=READ_S))
        return past.Numbers(
            span=span,
            rows=tuple(
                past.Row(
                    row.family,
                    row.cell_id,
                    dict(row.numbers),
                    {trend.name: tuple(trend.values) for trend in row.trends},
                )
                for row in found.rows
            ),
            teams=tuple(
                past.Team(t.team, t.faults, t.errors, t.known, t.known_right)
                for t in found.teams
            ),
            from_at=_moment(found.from_at),
            until_at=_moment(found.until_at),
        )

    async def gate(self, family: str) -> past.Gate:
        """On what the gate of a family rests now."""
        ask = learning_pb2.GetGateRequest(family=family)
        said = (await replied(self._learning.GetGate(ask, timeout=READ_S))).gate
        return past.Gate(
            family=said.family,
            state=said.state,
            text=said.text,
            alpha=said.alpha,
            delta=said.delta,
            audited=said.audited,
            needed=said.needed,
            wrong=said.wrong,
            wrong_low=said.wrong_low,
            wrong_high=said.wrong_high,
            wrong_audited=said.wrong_audited,
            wrong_decided=said.wrong_decided,
            groups=tuple((tuple(g.labels), g.threshold) for g in said.groups),
            until=_moment(said.until),
        )

    async def reports(self, digest: str) -> past.Reports:
        """What is known of a model."""
        ask = learning_pb2.GetModelRequest(model_digest=digest)
        found = await replied(self._learning.GetModel(ask, timeout=READ_S))
        held_out = _report(found.held_out) if found.HasField("held_out") else None
        live = _report(found.live, live=True) if found.HasField("live") else None
        return past.Reports(digest, held_out, live)

    async def cases(self, asked: past.CasesAsked) -> past.Cases:
        """The cases behind a number, the first page."""
        ask = insight_pb2.ListCasesRequest(
            family=asked.family,
            model_digest=asked.digest,
            held_out=asked.held_out,
            truth=asked.truth,
            said=asked.said,
            wrong=asked.wrong,
            page_size=PAGE,
        )
        found = await replied(self._insight.ListCases(ask, timeout=READ_S))
        return past.Cases(asked, tuple(map(_case, found.cases)), found.total)

    async def journal(self, asked: past.JournalAsked, *, check: bool) -> past.Journal:
        """A page of the journal."""
        ask = insight_pb2.ListJournalRequest(
            cell_id=asked.cell_id,
            kinds=[asked.kind] if asked.kind else [],
            person=asked.person,
            about=asked.about,
            page_size=PAGE,
            page_token=asked.token,
            check=check,
        )
        found = await replied(self._insight.ListJournal(ask, timeout=READ_S))
        return past.Journal(
            asked=asked,
            lines=tuple(
                past.JournalLine(
                    seq=line.entry.seq,
                    at=_moment(line.entry.recorded_at),
                    kind=line.entry.kind,
                    text=line.text,
                    cell_id=line.cell_id,
                    person=line.person,
                    payload_json=line.entry.payload_json,
                    hash=line.entry.hash,
                )
                for line in found.lines
            ),
            earlier=found.next_page_token,
            head_seq=found.head_seq,
            check=found.check_text,
            intact=found.intact or not check,
        )

    async def story(self, about: str) -> tuple[str, ...]:
        """What happened around a request, part, decision or window, a line each."""
        # The coordinator takes any id under any of its names.
        ask = insight_pb2.ExplainRequest(request_id=about)
        found = await replied(self._insight.Explain(ask, timeout=READ_S))
        return tuple(found.text.splitlines())

    async def sheet(self, back: timedelta) -> past.Sheet:
        """What the next shift has to know."""
        ask = insight_pb2.GetHandoverRequest(back=_duration(back))
        found = await replied(self._insight.GetHandover(ask, timeout=READ_S))
        return past.Sheet(
            sections=tuple(
                (
                    section.name,
                    tuple(
                        past.SheetLine(
                            line.cell_id, line.text, _moment(line.at), line.request_id
                        )
                        for line in section.lines
                    ),
                )
                for section in found.sections
            ),
            from_at=_moment(found.from_at),
            until_at=_moment(found.until_at),
        )


def _duration(length: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(length)
    return duration


def _moment(stamp: Timestamp) -> datetime | None:
    return stamp.ToDatetime(tzinfo=UTC) if stamp.ByteSize() else None


def _report(said: learning_pb2.ModelReport, *, live: bool = False) -> past.Report:
    return past.Report(
        labels=tuple(said.labels),
        cases=said.cases,
        confusion={(c.truth, c.said): c.count for c in said.confusion},
        curve=tuple((p.coverage, p.risk, p.confidence) for p in said.curve),
        reliability=tuple((b.confidence, b.right, b.count) for b in said.reliability),
        passed=None if live else said.passed,
        reasons=tuple(said.reasons),
    )


def _case(said: insight_pb2.Case) -> past.Case:
    return past.Case(
        window_id=said.window_id,
        request_id=said.request_id,
        cell_id=said.cell_id,
        part_id=said.part_id,
        cycle=said.cycle,
        clip_id=said.clip_id,
        truth=said.truth,
        said=said.said,
        confidence=said.confidence,
        novelty=said.novelty,
        alone=said.alone,
        at=_moment(said.at),
    )
