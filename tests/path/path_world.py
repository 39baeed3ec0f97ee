"""One cell's real path over a real store in memory; what is around it is handled."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Self, cast

from coordinator.clock import SECOND_NS, ManualClock
from coordinator.learning.correction.accept import accept
from coordinator.live.cell import control
from coordinator.live.cell.permit import PermitMaker
from coordinator.live.cell.record import CellRecord
from coordinator.live.gate.desk import FixedDesk
from coordinator.live.gate.judge import Gate
from coordinator.live.path import LivePath, PathSettings
from coordinator.live.request.queue import RequestQueue, Times
from coordinator.live.request.view import view_digest
from coordinator.seams import CellRow
from coordinator.seams import Store as StoreSeam
from coordinator.store import Store
from coordinator.store.codec import decode
from coordinator.terms import (
    NO_DIGEST,
    Action,
    Actor,
    CellState,
    Decision,
    Digest,
    HoldReason,
    OperatorRequest,
    Outcome,
    Permit,
    Prediction,
    RequestId,
    Scene,
    SensorWindow,
    Stand,
    TimeoutOutcome,
    Verdict,
    events,
)
from tests.builders import (
    ANA,
    CELL,
    FAMILY,
    NOON,
    PEG,
    make_key,
    make_prediction,
    make_window,
)

AT_START = Scene(Stand.AT_START)
Around = Callable[[tuple[events.Event, ...]], Awaitable[None]]


class HandledStore:
    """The real store; a test may act before and after each commit, or make it fail."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.before: Around | None = None
        self.after: Around | None = None
        self.failure: Exception | None = None
        self.attempts = 0
        self.durable: set[str] = set()
        """Ids of the permits whose event the store has acknowledged."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *happened: events.Event, **more: Any) -> Any:
        self.attempts += 1
        if self.before is not None:
            await self.before(happened)
        if self.failure is not None:
            raise self.failure
        entries = await self._store.commit(*happened, **more)
        self.durable |= {
            e.permit.permit_id for e in happened if isinstance(e, events.PermitIssued)
        }
        if self.after is not None:
            await self.after(happened)
        return entries


class RecordingLink:
    """A node that only listens, and minds the first rule: durable before it leaves."""

    def __init__(self, epoch: int, durable: set[str]) -> None:
        self._epoch = epoch
        self._durable = durable
        self.heartbeat_seq = 7
        self.permits: list[Permit] = []
        self.withdrawn: list[HoldReason] = []
        self.reoffers = 0
        self.clips_wanted: list[str] = []
        self.said: list[str] = []
        self.outcomes: list[tuple[SensorWindow, Verdict, str | None]] = []

    @property
    def session_epoch(self) -> int:
        return self._epoch

    def permit(self, permit: Permit) -> None:
        assert permit.permit_id in self._durable, "left before it was durable"
        self.permits.append(permit)
        self.said.append("permit")

    def withdraw(self, reason: HoldReason, text: str) -> None:
        assert text
        self.withdrawn.append(reason)

    def reoffer(self) -> None:
        self.reoffers += 1

    def want_clip(self, request: OperatorRequest) -> None:
        self.clips_wanted.append(request.request_id)
        self.said.append("clip")

    def outcome(
        self, window: SensorWindow, verdict: Verdict, request_id: RequestId | None
    ) -> None:
        self.outcomes.append((window, verdict, request_id))

    @property
    def codes(self) -> list[str]:
        return [verdict.code for _, verdict, _ in self.outcomes]


class World:
    """One cell, its queue, its store; settle() lets the loop carry everything."""

    def __init__(
        self, store: Store, clock: ManualClock, row: CellRow, **settings: Any
    ) -> None:
        self.clock = clock
        self.real = store
        self.store = HandledStore(store)
        self.told: list[object] = []
        self.prediction: Prediction | Exception | None = make_prediction()
        self.thinking: Callable[[], Awaitable[None]] | None = None
        self.permits: list[Permit] = []
        self.link: RecordingLink | None = None
        seam = cast(StoreSeam, self.store)
        undo_ns = settings.pop("undo_ns", 0)
        self.requests = RequestQueue(
            store=seam,
            clock=clock,
            publish=self.told.append,
            family_of=lambda _family: FAMILY,
            make_example=partial(accept, clock=clock),
            times=Times(claim_lease_ns=60 * SECOND_NS, undo_ns=undo_ns),
            answered=self._final,
        )
        self.gate = FixedDesk(Gate(threshold=0.9), settings.pop("audit_share", 0.0))
        facts: dict[str, Any] = {
            "maximum_age_ns": SECOND_NS,
            "audit_seed": "seed",
            "time_allowed_ns": 120 * SECOND_NS,
            "audit_allowed_ns": 120 * SECOND_NS,
            "on_timeout": TimeoutOutcome.HOLD,
            "autostart": False,
        }
        self.path = LivePath(
            cell=CellRecord(
                CELL, PEG, clock=clock, remembered=row, publish=self.told.append
            ),
            family_now=lambda: FAMILY,
            predict=self._predict,
            gate=self.gate,
            requests=self.requests,
            permits=PermitMaker(CELL, maximum_step_ns=60 * SECOND_NS),
            store=seam,
            clock=clock,
            settings=PathSettings(**{**facts, **settings}),
        )

    def _final(self, answered: OperatorRequest, actor: Actor) -> None:
        self.path.inbox.post(control.Answered(answered, actor))

    @classmethod
    async def open(cls, **settings: Any) -> Self:
        clock = ManualClock(NOON)
        store = await Store.open(None, clock=clock, commit_deadline_s=30)
        return cls(store, clock, CellRow(), **settings)

    async def restarted(self, **settings: Any) -> Self:
        """The same store under a coordinator that was just started."""
        row = (await self.real.cells()).get(CELL, CellRow())
        world = type(self)(self.real, self.clock, row, **settings)
        await world.requests.load()
        return world

    async def close(self) -> None:
        await self.real.close()

    async def _predict(self, window: SensorWindow) -> Prediction | None:
        if self.thinking is not None:
            await self.thinking()
        if isinstance(self.prediction, Exception):
            raise self.prediction
        return self.prediction

    # -- what happens ----------------------------------------------------------------

    async def settle(self) -> None:
        """Carry everything that waits."""
        for _ in range(200):
            if not len(self.path.inbox):
                return
            await self.path.step()
        raise AssertionError("the loop never comes to rest")

    async def connect(self, scene: Scene = AT_START) -> RecordingLink:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.path.inbox.post(control.Opening("node-1", "boot-1", "test", done))
        await self.settle()
        self.link = RecordingLink(await done, self.store.durable)
        self.path.inbox.post(control.Connected(self.link, scene))
        await self.settle()
        return self.link

    async def lose_link(self) -> None:
        assert self.link is not None
        self.path.inbox.post(control.LinkEnded(self.link.session_epoch, "cut."))
        await self.settle()

    async def tick(self, seconds: float = 0.0) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.path.inbox.post(control.Tick())
        await self.settle()

    async def release(
        self,
        actor: Actor = ANA,
        *,
        seen: HoldReason | None = HoldReason.INTEGRITY,
        disposition: Action | None = None,
        **more: Any,
    ) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        once = more.get("once", make_key("release", by=actor))
        self.path.inbox.post(control.Release(actor, seen, disposition, "", once, done))
        await self.settle()
        await done

    async def maintain(self, *, on: bool, **more: Any) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        once = more.get("once", make_key("maintenance"))
        self.path.inbox.post(control.Maintenance(ANA, on, "", once, done))
        await self.settle()
        await done

    def window(self, **changes: Any) -> SensorWindow:
        assert self.link is not None
        facts = {
            "session_epoch": self.link.session_epoch,
            "received_ns": self.clock.monotonic_ns(),
        }
        return make_window(**{**facts, **changes})

    def again(self, window: SensorWindow) -> SensorWindow:
        """The same evidence, offered again in the session of now."""
        assert self.link is not None
        return replace(
            window,
            session_epoch=self.link.session_epoch,
            received_ns=self.clock.monotonic_ns(),
            offered_again=True,
        )

    async def offer(self, window: SensorWindow) -> SensorWindow:
        self.path.offer(window)
        await self.settle()
        return window

    async def doubt(self, **changes: Any) -> SensorWindow:
        """A window about which the gate asks."""
        self.prediction = make_prediction(confidence=0.5)
        return await self.offer(self.window(**changes))

    async def start(self) -> None:
        """A cell that works, released by ana."""
        await self.connect()
        await self.release()
        assert self.state() is CellState.WORKING

    async def answer(
        self, label: str = "ok", actor: Actor = ANA, *, carried: bool = True
    ) -> OperatorRequest:
        question = self.requests.question_of(CELL)
        assert question is not None
        claimed = await self.requests.claim(
            question.request_id, actor, make_key(by=actor), take_over=True
        )
        answered = await self.requests.answer(
            question.request_id,
            actor,
            claim_epoch=claimed.claim_epoch,
            label=label,
            view=view_digest(question, FAMILY),
            once=make_key(by=actor),
        )
        if carried:
            await self.settle()
        return answered

    async def expire(self) -> list[OperatorRequest]:
        """Do what the coordinator's tick does about deadlines."""
        ended = [await self.requests.expire(due) for due in self.requests.due()]
        for request in ended:
            if request.outcome is Outcome.TIMED_OUT:
                self.path.inbox.post(control.Expired(request))
        await self.settle()
        return ended

    # -- what is to be seen ----------------------------------------------------------

    def state(self) -> CellState:
        return self.path.cell.state

    @property
    def reasons(self) -> frozenset[HoldReason]:
        return self.path.cell.holds.reasons

    async def journal(self) -> list[events.Event]:
        entries = await self.real.entries(0, 100_000)
        return [decode(entry.kind, entry.payload_json) for entry in entries]

    async def stored_reasons(self) -> frozenset[HoldReason]:
        row = (await self.real.cells()).get(CELL)
        return frozenset() if row is None else frozenset(row.reasons)


def scene_of(window: SensorWindow) -> Scene:
    """Where the robot stands when this window waits for a decision."""
    return Scene(
        Stand.DECIDING, window.cycle, window.step, window.part_id, window.digest
    )


def count(world: World, decision: Decision) -> int:
    status = world.path.cell.status()
    return {
        Decision.ACT: status.acted,
        Decision.ASK: status.asked,
        Decision.HOLD: status.held,
    }[decision]


__all__ = ["AT_START", "NO_DIGEST", "Digest", "RecordingLink", "World", "scene_of"]
