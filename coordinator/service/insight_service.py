"""InsightService: what happened, for people who look back."""

from __future__ import annotations

from collections import Counter
from typing import Any

import grpc

from andon.v1 import insight_pb2, insight_pb2_grpc
from coordinator.errors import MissingFieldError, NotFoundError
from coordinator.insight.explain import lines
from coordinator.service.plant import Plant
from coordinator.service.words import clean, timestamp

Context = grpc.aio.ServicerContext[Any, Any]


class InsightService(insight_pb2_grpc.InsightServiceServicer):
    """Reads the journal; changes nothing."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

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
            entries=[
                insight_pb2.ExplainEntry(
                    seq=entry.seq,
                    recorded_at=timestamp(entry.recorded_at),
                    kind=entry.kind,
                    payload_json=entry.payload_json,
                    hash=entry.hash,
                )
                for entry in story
            ],
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
        return insight_pb2.GetNumbersResponse(
            numbers={name: float(value) for name, value in numbers.items()}
        )

    async def GetJournalHead(
        self, request: insight_pb2.GetJournalHeadRequest, context: Context
    ) -> insight_pb2.GetJournalHeadResponse:
        """See insight.proto."""
        del request, context
        head = await self._plant.store.head()
        return insight_pb2.GetJournalHeadResponse(
            store_id=head.store_id, seq=head.seq, hash=head.hash
        )
