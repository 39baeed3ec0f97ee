"""InsightService: what happened, for people who look back."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

import grpc
from google.protobuf.duration_pb2 import Duration

from andon.v1 import insight_pb2, insight_pb2_grpc
from coordinator.errors import InputError, MissingFieldError, NotFoundError
from coordinator.history import Wanted
from coordinator.insight import handover
from coordinator.insight.catches import board
from coordinator.insight.explain import lines
from coordinator.insight.numbers import Row, rows
from coordinator.insight.reports import Spoken
from coordinator.service import looking_back
from coordinator.service.operator_service import page
from coordinator.service.plant import Plant
from coordinator.service.words import clean
from coordinator.terms import Action, CellId, Digest, FamilyId

Context = grpc.aio.ServicerContext[Any, Any]
LONGEST: Final = timedelta(days=31)
"""How far back one may look at once."""
SHIFT: Final = timedelta(hours=8)
"""How long a shift is, when nobody says."""
CHECKED: Final = 1000
"""Entries through which the chain is followed when a page asks for it."""


class InsightService(insight_pb2_grpc.InsightServiceServicer):
    """Reads the journal; changes nothing."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._measuring = asyncio.Lock()

    async def Explain(
        self, request: insight_pb2.ExplainRequest, context: Context
    ) -> insight_pb2.ExplainResponse:
        """See insight.proto."""
        del context
        asked = request.WhichOneof("of")
        about = clean("id", getattr(request, asked)) if asked else ""
        if not about:
            raise MissingFieldError("an id is required.")
        story = await self._plant.store.story(about)
        if not story:
            raise NotFoundError(f"the journal does not mention '{about[:40]}'.")
        return insight_pb2.ExplainResponse(
            entries=[looking_back.explain_entry(entry) for entry in story],
            text="\n".join(lines(story)),
        )

    async def GetNumbers(
        self, request: insight_pb2.GetNumbersRequest, context: Context
    ) -> insight_pb2.GetNumbersResponse:
        """See insight.proto."""
        del context
        numbers: Counter[str] = Counter()
        for path in self._plant.cells.values():
            status = path.cell.status()
            if request.family not in ("", status.family):
                continue
            if request.cell_id not in ("", status.cell_id):
                continue
            numbers["windows_acted_count"] += status.acted
            numbers["windows_asked_count"] += status.asked
            numbers["windows_held_count"] += status.held
            for reason, count in path.inbox.dropped.items():
                numbers[f"dropped_{reason}_count"] += count
        reply = insight_pb2.GetNumbersResponse(
            numbers={name: float(value) for name, value in numbers.items()}
        )
        if request.HasField("back"):
            since, until = self._span(request.back)
            found = await self._measured(since, until, request.family, request.cell_id)
            reply.rows.extend(looking_back.numbers_row(row) for row in found)
            reply.teams.extend(await self._caught(since, until))
            reply.from_at.FromDatetime(since)
            reply.until_at.FromDatetime(until)
        return reply

    async def _caught(
        self, since: datetime, until: datetime
    ) -> list[insight_pb2.TeamCatches]:
        """What teams caught, all together first; nothing unless the plant wants it."""
        plant = self._plant
        if not plant.people.team_board:
            return []
        found = board(
            await plant.store.answers(since, until),
            await plant.store.team_sizes(),
            plant.vocabulary.action_of,
        )
        return looking_back.team_board(found)

    def _span(
        self, back: Duration, usual: timedelta = SHIFT
    ) -> tuple[datetime, datetime]:
        """From when until when to look back.

        Raises:
            InputError: it is no length of time, or longer than LONGEST.
        """
        length = back.ToTimedelta() or usual
        if not timedelta() < length <= LONGEST:
            raise InputError(f"look back at most {LONGEST.days} days.", "BAD_DURATION")
        # A time does not hold its own end; what was recorded just now belongs to it.
        until = self._plant.clock.utc_now() + timedelta(microseconds=1)
        return until - length, until

    async def _measured(
        self, since: datetime, until: datetime, family: str, cell_id: str
    ) -> list[Row]:
        """Measure off the event loop, one caller at a time: cells must not wait."""
        owners = {
            cell: str(path.cell.family)
            for cell, path in self._plant.cells.items()
            if family in ("", path.cell.family) and cell_id in ("", cell)
        }
        vocabulary = self._plant.vocabulary
        families = {name: vocabulary.family(FamilyId(name)) for name in owners.values()}

        def action_of(cell: CellId, label: str) -> Action | None:
            known = families[owners[cell]].label(label)
            return None if known is None else known.action

        async with self._measuring:
            past = await self._plant.store.past(since, until)
            return await asyncio.to_thread(rows, past, owners, action_of)

    async def ListJournal(
        self, request: insight_pb2.ListJournalRequest, context: Context
    ) -> insight_pb2.ListJournalResponse:
        """See insight.proto."""
        del context
        store = self._plant.store
        before, size = page(request.page_size, request.page_token)
        head = await store.head()
        found = await store.journal_page(
            Wanted(
                cell_id=clean("cell_id", request.cell_id),
                kinds=tuple(clean("kind", kind) for kind in request.kinds),
                person=clean("person", request.person),
                about=clean("about", request.about),
                before_seq=before,
                limit=size,
            )
        )
        reply = insight_pb2.ListJournalResponse(
            lines=[looking_back.journal_line(entry) for entry in found.entries],
            next_page_token=str(found.next_before_seq or ""),
            head_seq=head.seq,
            head_hash=head.hash,
        )
        if request.check:
            wrong = await store.follows_chain(CHECKED)
            count = min(CHECKED, head.seq)
            reply.intact = not wrong
            reply.check_text = wrong or f"the newest {count} entries fit the chain."
        return reply

    async def ListCases(
        self, request: insight_pb2.ListCasesRequest, context: Context
    ) -> insight_pb2.ListCasesResponse:
        """See insight.proto."""
        del context
        self._plant.teacher(request.family)
        model = Digest(clean("model_digest", request.model_digest))
        start, size = page(request.page_size, request.page_token)
        store = self._plant.store

        def wanted(case: Spoken) -> bool:
            return (
                request.truth in ("", case.truth)
                and request.said in ("", case.said)
                and not (request.wrong and case.truth == case.said)
            )

        if request.held_out:
            kept = await store.validation(model)
            chosen = [c for c in (kept.cases if kept else ()) if wanted(c)]
            chosen.sort(key=lambda c: (c.truth == c.said, -c.confidence))
            total = len(chosen)
            shown = await store.cases_of(chosen[start : start + size])
        else:
            live = await store.live_cases(FamilyId(request.family), model)
            found = [case for case in live if wanted(case)]
            total, shown = len(found), found[start : start + size]
        more = total > start + size
        return insight_pb2.ListCasesResponse(
            cases=[looking_back.case(case) for case in shown],
            next_page_token=str(start + size) if more else "",
            total=total,
        )

    async def GetHandover(
        self, request: insight_pb2.GetHandoverRequest, context: Context
    ) -> insight_pb2.GetHandoverResponse:
        """See insight.proto."""
        del context
        plant = self._plant
        since, until = self._span(request.back)
        measured = await self._measured(since, until, "", "")
        sections = [
            handover.waiting(plant.requests.all_open()),
            handover.standing([path.cell.status() for path in plant.cells.values()]),
            *handover.happened(await handover.since(plant.store, since)),
            handover.summed(measured[0]),
        ]
        reply = insight_pb2.GetHandoverResponse(
            sections=[looking_back.section(section) for section in sections]
        )
        reply.from_at.FromDatetime(since)
        reply.until_at.FromDatetime(until)
        return reply

    async def GetJournalHead(
        self, request: insight_pb2.GetJournalHeadRequest, context: Context
    ) -> insight_pb2.GetJournalHeadResponse:
        """See insight.proto."""
        del request, context
        head = await self._plant.store.head()
        return insight_pb2.GetJournalHeadResponse(
            store_id=head.store_id, seq=head.seq, hash=head.hash
        )
