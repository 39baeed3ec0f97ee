"""The past of the fake coordinator: small, and always the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc

from andon.v1 import insight_pb2, insight_pb2_grpc, learning_pb2

Context = grpc.aio.ServicerContext[Any, Any]
NOON = datetime(2025, 1, 1, 12, 0, tzinfo=UTC)
LABELS = ("collision", "misaligned", "grip_slip", "missing_part", "ok")

NUMBERS = {
    "questions_per_hour": 4.5,
    "answers_per_hour": 4.1,
    "time_to_answer_p50_s": 21.0,
    "time_to_answer_p95_s": 95.0,
    "automation_share": 0.83,
    "first_pass_share": 0.91,
    "waiting_for_human_share": 0.07,
    "waiting_for_model_share": 0.01,
    "between_interventions_s": 780.0,
    "decided_per_human_minute": 24.0,
    "questions_count": 36.0,
    "audits_count": 12.0,
    "timed_out_count": 1.0,
}

MATRIX = {
    ("collision", "collision"): 4,
    ("misaligned", "misaligned"): 11,
    ("misaligned", "ok"): 2,
    ("grip_slip", "grip_slip"): 9,
    ("grip_slip", "missing_part"): 1,
    ("missing_part", "missing_part"): 7,
    ("ok", "ok"): 62,
    ("ok", "misaligned"): 1,
}


def make_report(*, passed: bool = True) -> learning_pb2.ModelReport:
    """97 held-out examples of five labels, four of them called something else."""
    steps = [(n + 1) / 20 for n in range(20)]
    return learning_pb2.ModelReport(
        passed=passed,
        reasons=[
            "It is better on 97 held-out examples: log loss 0.041 lower, right on "
            "96 %, the serving model on 93 %; no label is worse beyond chance."
        ],
        labels=LABELS,
        confusion=[
            learning_pb2.ConfusionCount(truth=truth, said=said, count=count)
            for (truth, said), count in MATRIX.items()
        ],
        curve=[
            learning_pb2.RiskPoint(
                coverage=step,
                risk=0.0 if step < 0.5 else (step - 0.5) * 0.08,
                confidence=1.0 - step * 0.5,
            )
            for step in steps
        ],
        reliability=[
            learning_pb2.ReliabilityBin(
                confidence=0.55 + n * 0.05, right=0.5 + n * 0.055, count=10
            )
            for n in range(9)
        ],
        cases=97,
    )


def make_case(number: int, **facts: Any) -> insight_pb2.Case:
    """One case behind a number."""
    case = insight_pb2.Case(
        window_id=f"w-{number}",
        request_id=f"request-{number}",
        cell_id="press-2",
        part_id=f"A-{1000 + number}",
        cycle=number,
        truth="misaligned",
        said="ok",
        confidence=0.87,
        novelty=0.4,
    )
    for name, fact in facts.items():
        setattr(case, name, fact)
    case.at.FromDatetime(NOON - timedelta(minutes=number))
    return case


class FakeInsight(insight_pb2_grpc.InsightServiceServicer):
    """What it is asked is noted in `asked`; what it says may be changed by a test."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.cases: list[insight_pb2.Case] = [make_case(17), make_case(21)]
        self.entries = 250
        self.teams: list[insight_pb2.TeamCatches] = []

    async def GetNumbers(
        self, request: insight_pb2.GetNumbersRequest, context: Context
    ) -> insight_pb2.GetNumbersResponse:
        self.asked.append(request)
        trend = insight_pb2.Trend(
            name="automation_share", values=[0.5 + n / 50 for n in range(24)]
        )
        rows = [("", ""), ("peg", ""), *(("peg", f"press-{n}") for n in (1, 2, 3))]
        reply = insight_pb2.GetNumbersResponse(
            rows=[
                insight_pb2.NumbersRow(
                    family=family, cell_id=cell, numbers=NUMBERS, trends=[trend]
                )
                for family, cell in rows
            ]
        )
        reply.from_at.FromDatetime(NOON - request.back.ToTimedelta())
        reply.until_at.FromDatetime(NOON)
        reply.teams.extend(self.teams)
        return reply

    async def GetJournalHead(
        self, request: insight_pb2.GetJournalHeadRequest, context: Context
    ) -> insight_pb2.GetJournalHeadResponse:
        return insight_pb2.GetJournalHeadResponse(seq=self.entries, hash="ab" * 32)

    async def ListJournal(
        self, request: insight_pb2.ListJournalRequest, context: Context
    ) -> insight_pb2.ListJournalResponse:
        self.asked.append(request)
        before = int(request.page_token or self.entries + 1)
        seqs = range(before - 1, max(0, before - 1 - (request.page_size or 100)), -1)
        return insight_pb2.ListJournalResponse(
            lines=[_line(seq) for seq in seqs],
            next_page_token=str(seqs[-1]) if seqs and seqs[-1] > 1 else "",
            head_seq=self.entries,
            head_hash="ab" * 32,
            check_text="the newest 250 entries fit the chain." if request.check else "",
            intact=request.check,
        )

    async def ListCases(
        self, request: insight_pb2.ListCasesRequest, context: Context
    ) -> insight_pb2.ListCasesResponse:
        self.asked.append(request)
        return insight_pb2.ListCasesResponse(cases=self.cases, total=len(self.cases))

    async def Explain(
        self, request: insight_pb2.ExplainRequest, context: Context
    ) -> insight_pb2.ExplainResponse:
        self.asked.append(request)
        about = request.request_id
        told = [
            f"2025-01-01 11:58:00 #12 question {about} was opened about window w-17.",
            f"2025-01-01 11:58:20 #14 {about} was claimed by ana.",
            f"2025-01-01 11:58:31 #15 {about} was answered misaligned by ana.",
        ]
        return insight_pb2.ExplainResponse(text="\n".join(told))

    async def GetHandover(
        self, request: insight_pb2.GetHandoverRequest, context: Context
    ) -> insight_pb2.GetHandoverResponse:
        self.asked.append(request)
        waits = insight_pb2.HandoverLine(
            cell_id="press-2",
            text="question: misaligned at 0.55 is less sure than 0.90",
            request_id="request-17",
        )
        waits.at.FromDatetime(NOON - timedelta(minutes=3))
        said = {
            "waiting": [waits],
            "cells": [],
            "models": [
                insight_pb2.HandoverLine(text="model 2 serves peg, promoted by eva.")
            ],
            "numbers": [
                insight_pb2.HandoverLine(
                    text="36 questions, 33 answers, 1 nobody answered in time."
                )
            ],
        }
        reply = insight_pb2.GetHandoverResponse(
            sections=[
                insight_pb2.HandoverSection(name=name, lines=lines)
                for name, lines in said.items()
            ]
        )
        reply.from_at.FromDatetime(NOON - request.back.ToTimedelta())
        reply.until_at.FromDatetime(NOON)
        return reply


def _line(seq: int) -> insight_pb2.JournalLine:
    """Every third entry is an answer, and the others are decisions."""
    answer = seq % 3 == 0
    payload = {"cell_id": "press-2", "request_id": f"request-{seq}"}
    entry = insight_pb2.ExplainEntry(
        seq=seq,
        kind="RequestAnswered" if answer else "WindowDecided",
        payload_json=json.dumps(
            payload if answer else {"cell_id": "press-1", "part_id": f"A-{seq}"},
            separators=(",", ":"),
        ),
        hash="cd" * 32,
    )
    entry.recorded_at.FromDatetime(NOON - timedelta(seconds=300 - seq))
    told = (
        f"request-{seq} was answered misaligned by ana, a correction."
        if answer
        else f"press-1, cycle {seq}: decision d-{seq} is to act alone (ACT)."
    )
    return insight_pb2.JournalLine(
        entry=entry,
        text=told,
        cell_id="press-2" if answer else "press-1",
        person="ana" if answer else "",
    )
