"""A queue over a real store in memory; questions are opened as the path opens them."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

from coordinator.clock import SECOND_NS, ManualClock
from coordinator.learning.correction.accept import accept
from coordinator.live.request.opening import decided, opened
from coordinator.live.request.queue import RequestQueue, Times
from coordinator.live.request.view import view_digest
from coordinator.store import Store
from coordinator.store.codec import decode
from coordinator.terms import (
    Actor,
    AuditCoin,
    CellId,
    Decision,
    DecisionId,
    Digest,
    Family,
    IdempotencyKey,
    Judged,
    OperatorRequest,
    RequestId,
    RequestKind,
    TimeoutOutcome,
    Verdict,
    events,
    new_id,
)
from tests.builders import (
    ANA,
    CELL,
    FAMILY,
    NOON,
    PEG,
    make_digest,
    make_key,
    make_prediction,
    make_window,
)

ALLOWED_NS = 120 * SECOND_NS
LEASE_NS = 60 * SECOND_NS


class QueueWorld:
    def __init__(
        self, store: Store, clock: ManualClock, *, undo_s: int = 0, **times: float
    ) -> None:
        self.settings: dict[str, Any] = {"undo_s": undo_s, **times}
        self.final: list[tuple[OperatorRequest, Actor]] = []
        self.store = store
        self.clock = clock
        self.family = FAMILY
        self.told: list[OperatorRequest] = []
        self.queue = RequestQueue(
            store=store,
            clock=clock,
            publish=self.told.append,
            family_of=self._family_of,
            make_example=partial(accept, clock=clock),
            times=Times(claim_lease_ns=LEASE_NS, undo_ns=undo_s * SECOND_NS, **times),
            answered=lambda request, actor: self.final.append((request, actor)),
        )

    def _family_of(self, _family: str) -> Family:
        return self.family

    @classmethod
    async def open(cls, **settings: Any) -> Self:
        clock = ManualClock(NOON)
        store = await Store.open(None, clock=clock, commit_deadline_s=30)
        return cls(store, clock, **settings)

    @classmethod
    async def on_disk(cls, path: Path, *, deadline_s: float = 30, **more: Any) -> Self:
        """With a store in files, whose commits may be late."""
        clock = ManualClock(NOON)
        store = await Store.open(path, clock=clock, commit_deadline_s=deadline_s)
        return cls(store, clock, **more)

    async def restarted(self) -> Self:
        world = type(self)(self.store, self.clock, **self.settings)
        await world.queue.load()
        return world

    def advance(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    async def ask(
        self,
        cell: CellId = CELL,
        *,
        kind: RequestKind = RequestKind.QUESTION,
        on_timeout: TimeoutOutcome = TimeoutOutcome.HOLD,
    ) -> OperatorRequest:
        """Open a question, or an audit, as the path does: window and decision first."""
        window = make_window(cell_id=cell, session_epoch=0)
        decision = Decision.ASK if kind is RequestKind.QUESTION else Decision.ACT
        judged = Judged(
            DecisionId(new_id("d")),
            Verdict(decision, "CODE", "not sure.", make_prediction()),
            AuditCoin(0.25, drawn=kind is RequestKind.AUDIT),
            make_digest("gate"),
        )
        request = opened(
            window,
            judged,
            kind,
            family=PEG,
            raised_at=self.clock.utc_now(),
            now_ns=self.clock.monotonic_ns(),
            time_allowed_ns=ALLOWED_NS,
            on_timeout=on_timeout,
        )
        await self.store.commit(
            decided(window, judged, PEG),
            events.RequestOpened(request),
            window=window,
        )
        self.queue.add(request)
        return request

    async def claim(
        self, request: OperatorRequest, actor: Actor = ANA, **more: Any
    ) -> OperatorRequest:
        once = more.pop("once", make_key(by=actor))
        return await self.queue.claim(request.request_id, actor, once, **more)

    async def answer(
        self,
        request: OperatorRequest,
        actor: Actor = ANA,
        *,
        epoch: int = 1,
        label: str = "ok",
        view: Digest | None = None,
        once: IdempotencyKey | None = None,
    ) -> OperatorRequest:
        return await self.queue.answer(
            request.request_id,
            actor,
            claim_epoch=epoch,
            label=label,
            view=view_digest(request, self.family) if view is None else view,
            once=once or make_key(by=actor),
        )

    async def journal(self) -> list[events.Event]:
        entries = await self.store.entries(0, 100_000)
        return [decode(entry.kind, entry.payload_json) for entry in entries]

    async def of_kind(self, kind: type[events.Event]) -> list[Any]:
        return [e for e in await self.journal() if isinstance(e, kind)]

    def open_ids(self) -> set[RequestId]:
        return {request.request_id for request in self.queue.all_open()}
