"""A gate's keeper over a real store; windows, answers and models are played."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, cast

import numpy as np

from coordinator.clock import ManualClock
from coordinator.live.gate.audit import toss
from coordinator.live.gate.keeper import GateKeeper
from coordinator.live.gate.plan import GatePlan
from coordinator.live.request.opening import decided, opened
from coordinator.seams import Store as StoreSeam
from coordinator.store import Store
from coordinator.store.codec import decode
from coordinator.terms import (
    NO_DIGEST,
    Decision,
    DecisionId,
    Digest,
    Judged,
    ModelRecord,
    ModelState,
    OperatorRequest,
    Outcome,
    RequestKind,
    RunId,
    SensorWindow,
    TimeoutOutcome,
    Verdict,
    events,
    new_id,
)
from tests.builders import (
    ANA,
    FAMILY,
    MODEL,
    NOON,
    PEG,
    make_digest,
    make_key,
    make_prediction,
    make_window,
)
from tests.coordinator.live.gate.standing_world import PLAN
from tests.path.path_world import HandledStore

HOUR_NS = 3600 * 10**9


class KeeperWorld:
    """One family, one keeper, one store."""

    def __init__(self, store: Store, clock: ManualClock, plan: GatePlan) -> None:
        self.real, self.clock, self.plan = store, clock, plan
        self.store = HandledStore(store)
        self.model: Digest = MODEL
        self.changes = 0
        self.keeper = self.new_keeper()
        self.rng = np.random.default_rng(11)

    def new_keeper(self) -> GateKeeper:
        return GateKeeper(
            family_now=lambda: FAMILY,
            plan=self.plan,
            store=cast(StoreSeam, self.store),
            clock=self.clock,
            serving=lambda: self.model,
            changed=self._changed,
        )

    def _changed(self) -> None:
        self.changes += 1

    @classmethod
    async def open(cls, folder: Path | None = None, plan: GatePlan = PLAN) -> Self:
        clock = ManualClock(NOON)
        store = await Store.open(folder, clock=clock, commit_deadline_s=30)
        world = cls(store, clock, plan)
        await world.promote(MODEL, 1)
        await world.keeper.begin()
        return world

    async def restarted(self, **changes: Any) -> Self:
        """The same store under a coordinator that was just started."""
        plan = replace(self.plan, **changes)
        world = type(self)(self.real, ManualClock(self.clock.utc_now()), plan)
        world.model = self.model
        await world.keeper.begin()
        return world

    async def promote(
        self, model: Digest, version: int, before: Digest = NO_DIGEST
    ) -> None:
        record = ModelRecord(
            digest=model,
            family=PEG,
            version=version,
            state=ModelState.CANDIDATE,
            run_id=RunId(f"run-{version}"),
            trained_at=NOON,
            training_s=1.0,
            examples=40,
            snapshot_digest=make_digest("snapshot"),
            parent=before,
            network="small",
        )
        await self.real.commit(
            events.ModelRegistered(record),
            events.ModelValidated(model, PEG, "good."),
            events.ModelPromoted(model, PEG, before, ANA),
        )
        self.model = model

    async def window(
        self,
        *,
        truth: str = "ok",
        answered: bool = True,
        drawn: bool | None = None,
        **changes: Any,
    ) -> tuple[Verdict, OperatorRequest | None]:
        """Judge one window as the path does, and answer it if somebody is asked."""
        window = make_window(part_id=f"L1-{len(changes)}", **changes)
        coin = toss(window, self.keeper.audit_share(), "seed")
        if drawn is not None:
            coin = replace(coin, drawn=drawn)
        rule = self.keeper.judge()
        prediction = replace(make_prediction("ok", 0.97), model_digest=self.model)
        verdict = rule(prediction, [], FAMILY)
        judged = Judged(DecisionId(new_id("d")), verdict, coin, rule.digest)
        request = self._request(window, judged)
        asked = [] if request is None else [events.RequestOpened(request)]
        await self.real.commit(decided(window, judged, PEG), *asked, window=window)
        self.keeper.judged(window, judged)
        if request is not None and answered:
            await self.answer(request, truth)
        return verdict, request

    def _request(self, window: SensorWindow, judged: Judged) -> OperatorRequest | None:
        asked = judged.verdict.decision is Decision.ASK
        if not asked and not judged.coin.drawn:
            return None
        return opened(
            window,
            judged,
            RequestKind.QUESTION if asked else RequestKind.AUDIT,
            family=PEG,
            raised_at=self.clock.utc_now(),
            now_ns=self.clock.monotonic_ns(),
            time_allowed_ns=HOUR_NS,
            on_timeout=TimeoutOutcome.HOLD,
        )

    async def answer(self, request: OperatorRequest, truth: str) -> None:
        if truth:
            await self.real.commit(
                events.RequestClaimed(request.request_id, ANA, 1),
                events.RequestAnswered(
                    request.request_id, request.cell_id, ANA, 1, truth, False, NO_DIGEST
                ),
            )
            ended = replace(request, outcome=Outcome.ANSWERED, label=truth)
        else:
            await self.real.commit(
                events.RequestEnded(
                    request.request_id, request.cell_id, Outcome.TIMED_OUT, "nobody."
                )
            )
            ended = replace(request, outcome=Outcome.TIMED_OUT)
        self.keeper.heard(ended)

    async def run(self, count: int, **facts: Any) -> None:
        for _ in range(count):
            await self.window(**facts)
        await self.carry()

    async def carry(self) -> None:
        """Record what is due, as the keeper's own loop does."""
        await self.keeper._carry_out()

    def pass_time(self, **of: float) -> None:
        self.clock.advance(timedelta(**of))
        self.keeper.tick()

    async def journal(self) -> Sequence[events.Event]:
        entries = await self.real.entries(0, 100_000)
        return [decode(entry.kind, entry.payload_json) for entry in entries]

    async def happened(self) -> list[str]:
        gate = (
            events.GateCertified,
            events.ProvisionalGranted,
            events.GateClosed,
            events.EvidenceRestarted,
        )
        return [type(e).__name__ for e in await self.journal() if isinstance(e, gate)]


__all__ = ["KeeperWorld", "make_key"]
