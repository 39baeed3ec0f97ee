"""The gate on the path: asked until proven, alone then, and asked again on errors."""

from typing import cast

from coordinator.live.gate.keeper import GateKeeper
from coordinator.live.gate.plan import GatePlan
from coordinator.live.request.queue import RequestQueue
from coordinator.live.request.view import view_digest
from coordinator.model.risk.spending import Promise
from coordinator.seams import Store as StoreSeam
from coordinator.terms import (
    NO_DIGEST,
    CellState,
    GateState,
    ModelRecord,
    ModelState,
    OperatorRequest,
    RequestKind,
    RunId,
    WindowKind,
    events,
)
from tests.builders import (
    ANA,
    CELL,
    FAMILY,
    MODEL,
    NOON,
    PEG,
    make_key,
    make_prediction,
)
from tests.path.path_world import World

PLAN = GatePlan(promise=Promise(0.05, 0.05, 0.05))


class GateWorld(World):
    """A cell whose gate certifies itself; people answer what they are told."""

    keeper: GateKeeper

    async def begin(self) -> None:
        record = ModelRecord(
            digest=MODEL,
            family=PEG,
            version=1,
            state=ModelState.CANDIDATE,
            run_id=RunId("run-1"),
            trained_at=NOON,
            training_s=1.0,
            examples=40,
            snapshot_digest=MODEL,
            parent=NO_DIGEST,
            network="small",
        )
        await self.real.commit(
            events.ModelRegistered(record),
            events.ModelValidated(MODEL, PEG, "good."),
            events.ModelPromoted(MODEL, PEG, NO_DIGEST, ANA),
        )
        self.keeper = GateKeeper(
            family_now=lambda: FAMILY,
            plan=PLAN,
            store=cast(StoreSeam, self.store),
            clock=self.clock,
            serving=lambda: MODEL,
            changed=lambda: None,
        )
        await self.keeper.begin()
        self.path._gate = self.keeper
        self.requests._open._publish = self.told_request
        self.prediction = make_prediction("ok", 0.97)
        await self.start()

    def told_request(self, request: OperatorRequest) -> None:
        self.told.append(request)
        self.keeper.heard(request)

    async def cycle(self, truth: str = "ok") -> RequestKind | None:
        """One window; whoever is asked answers with the truth."""
        await self.offer(self.window())
        await self.keeper._carry_out()
        asked = None
        for request in self.requests.all_open():
            asked = request.kind
            if request.kind is RequestKind.QUESTION:
                assert self.state() is CellState.ASKING
                await self.answer(truth)
            else:
                assert self.state() is CellState.WORKING
                await self.audited(request, truth)
        await self.keeper._carry_out()
        return asked

    async def audited(self, request: OperatorRequest, truth: str) -> None:
        requests: RequestQueue = self.requests
        claimed = await requests.claim(request.request_id, ANA, make_key())
        await requests.answer(
            request.request_id,
            ANA,
            claim_epoch=claimed.claim_epoch,
            label=truth,
            view=view_digest(request, FAMILY),
            once=make_key(),
        )


async def test_a_cell_is_asked_until_the_gate_is_certified_and_works_alone_then():
    world = await GateWorld.open()
    await world.begin()

    for _ in range(260):
        await world.cycle()
        if world.keeper.state() is GateState.CERTIFIED:
            break
    kinds = [await world.cycle() for _ in range(60)]

    assert world.keeper.state() is GateState.CERTIFIED
    assert RequestKind.QUESTION not in kinds
    decided = [e for e in await world.journal() if isinstance(e, events.WindowDecided)]
    assert {e.kind for e in decided} == {WindowKind.DECISION}
    assert decided[0].coin.probability == 0.8
    assert decided[-1].gate_digest != decided[0].gate_digest
    await world.close()


async def test_errors_that_audits_find_make_the_cell_ask_again():
    world = await GateWorld.open()
    await world.begin()
    while world.keeper.state() is not GateState.CERTIFIED:
        await world.cycle()

    for _ in range(2000):
        await world.cycle("misaligned")
        if world.keeper.state() is GateState.CLOSED:
            break
    assert await world.cycle() is RequestKind.QUESTION

    closed = [e for e in await world.journal() if isinstance(e, events.GateClosed)]
    assert closed[0].why.value == "alarm"
    assert world.requests.question_of(CELL) is None
    await world.close()
