"""Any order of events: permits are on record, once, and HELD is left by name."""

import asyncio
import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from coordinator.errors import AndonError, StoreDegradedError
from coordinator.live.cell import control
from coordinator.terms import (
    Action,
    CellEvent,
    CellState,
    Decision,
    HoldReason,
    OperatorRequest,
    Outcome,
    Permit,
    RequestId,
    Scene,
    SensorWindow,
    Stand,
    WindowKind,
    events,
)
from tests.builders import ANA, BEN, CELL, FAMILY, make_prediction, make_samples
from tests.path.path_world import RecordingLink, World, scene_of

pytestmark = pytest.mark.slow
AT_WORK = {CellState.IDLE, CellState.WORKING, CellState.DECIDING, CellState.ASKING}
REASONS = st.sampled_from(list(HoldReason))


class CellMachine(RuleBasedStateMachine):
    """Real path, queue, gate and store; only node, people and clock are played."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.links: list[RecordingLink] = []
        self.last: SensorWindow | None = None

    @initialize(autostart=st.booleans(), audits=st.sampled_from([0.0, 1.0]))
    def begin(self, autostart: bool, audits: float) -> None:
        self.settings = {"autostart": autostart, "audit_share": audits}
        self.world: World = self.run(World.open(**self.settings))
        self.run(self._connect(Stand.AT_START))

    def run(self, change):
        return self.runner.run(change)

    # -- the node --------------------------------------------------------------------

    async def _connect(self, stand: Stand) -> None:
        scene = Scene(stand, 1)
        if stand is Stand.DECIDING and self.last is not None:
            scene = scene_of(self.last)
        self.links.append(await self.world.connect(scene))

    @rule(stand=st.sampled_from(list(Stand)))
    def connect(self, stand: Stand) -> None:
        self._try(self._connect(stand))

    @rule()
    def disconnect(self) -> None:
        self.run(self.world.lose_link())

    @rule(
        confidence=st.sampled_from([0.99, 0.5, None]),
        label=st.sampled_from(FAMILY.label_names),
        kind=st.sampled_from([WindowKind.DECISION] * 3 + [WindowKind.MONITOR]),
        bad=st.sampled_from([False, False, False, True]),
        carried=st.booleans(),
    )
    def window(
        self,
        confidence: float | None,
        label: str,
        kind: WindowKind,
        bad: bool,
        carried: bool,
    ) -> None:
        world = self.world
        world.prediction = (
            None if confidence is None else make_prediction(label, confidence)
        )
        samples = make_samples(16 if kind is WindowKind.DECISION else 4)
        if bad:
            samples[2, 0] = math.nan
        window = world.window(kind=kind, samples=samples)
        world.path.offer(window)
        if kind is WindowKind.DECISION:
            self.last = window
        if carried:
            self.run(world.settle())

    @precondition(lambda self: self.last is not None)
    @rule()
    def offer_again(self) -> None:
        assert self.last is not None
        self.run(self.world.offer(self.world.again(self.last)))

    @precondition(lambda self: any(link.permits for link in self.links))
    @rule(used=st.booleans(), token=st.sampled_from(["EXPIRED", "SCENE_MOVED"]))
    def begin_step(self, used: bool, token: str) -> None:
        permit = [p for link in self.links for p in link.permits][-1]
        world = self.world
        if used:
            told = control.PermitUsed(permit.permit_id, permit.session_epoch)
            world.path.inbox.post(told)
            world.path.cell.scene = Scene(Stand.IN_STEP, permit.cycle)
        else:
            world.path.inbox.post(
                control.PermitUnused(
                    permit.permit_id, permit.session_epoch, token, "not used."
                )
            )
        self.run(world.settle())

    @rule(stand=st.sampled_from([Stand.AT_START, Stand.PAUSED, Stand.STOPPED]))
    def beat(self, stand: Stand) -> None:
        self.world.path.cell.scene = Scene(stand, 2)

    # -- people and time -------------------------------------------------------------

    @precondition(lambda self: self.world.requests.question_of(CELL) is not None)
    @rule(label=st.sampled_from(FAMILY.label_names), carried=st.booleans())
    def answer(self, label: str, carried: bool) -> None:
        self._try(self.world.answer(label, BEN, carried=carried))

    @rule(reason=REASONS, person=st.booleans())
    def hold(self, reason: HoldReason, person: bool) -> None:
        self.world.path.hold(reason, "something.", ANA if person else None)

    @rule(
        seen=REASONS,
        disposition=st.sampled_from([None, Action.REJECT, Action.CONTINUE]),
    )
    def release(self, seen: HoldReason, disposition: Action | None) -> None:
        self._try(self.world.release(BEN, seen=seen, disposition=disposition))

    @rule(on=st.booleans())
    def maintain(self, on: bool) -> None:
        self._try(self.world.maintain(on=on))

    @rule(seconds=st.sampled_from([0.25, 2.0, 121.0]))
    def tick(self, seconds: float) -> None:
        self.world.clock.advance(timedelta(seconds=seconds))
        self._try(self.world.expire())
        self.run(self.world.tick())

    @rule(down=st.sampled_from([False, False, True]))
    def disk(self, down: bool) -> None:
        failure = StoreDegradedError("the disk is full; nothing was kept.")
        self.world.store.failure = failure if down else None

    @rule(reason=REASONS, after=st.booleans())
    def cord_at_the_next_commit(self, reason: HoldReason, after: bool) -> None:
        world = self.world

        async def pull(_happened: tuple[events.Event, ...]) -> None:
            world.store.before = world.store.after = None
            world.path.hold(reason, "pulled in between.", ANA)

        if after:
            world.store.after = pull
        else:
            world.store.before = pull

    @rule()
    def restart(self) -> None:
        self.world.store.failure = None
        self.run(self.world.settle())
        self.run(self.world.tick())
        self.world = self.run(self.world.restarted(**self.settings))
        self.run(self._connect(Stand.STOPPED))

    def _try(self, change) -> None:
        try:
            self.run(change)
        except AndonError:
            self.run(self.world.settle())

    # -- what holds at every moment --------------------------------------------------

    @invariant()
    def a_cell_at_work_has_no_reason_to_be_held(self) -> None:
        world = self.world
        assert (world.state() in AT_WORK) <= (not world.reasons)
        assert (world.state() is CellState.HELD) <= bool(world.reasons)

    @invariant()
    def nothing_ends_in_a_dead_end(self) -> None:
        world = self.world
        if len(world.path.inbox):
            return
        assert world.state() is not CellState.DECIDING
        if world.state() is CellState.ASKING:
            assert world.requests.question_of(CELL) is not None

    @invariant()
    def a_restart_would_find_the_same_reasons(self) -> None:
        world = self.world
        if not world.path.cell.unrecorded:
            assert self.run(world.stored_reasons()) == world.reasons

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.world.store.failure = None
                self.world.store.before = self.world.store.after = None
                self.run(self.world.tick())
                record = Record(self.run(self.world.journal()), self.links)
                record.check()
                stored = {r.request_id for r in self.run(self._stored_open())}
                assert stored == record.open
                assert stored == {r.request_id for r in self.world.requests.all_open()}
                self.run(self.world.close())
        finally:
            self.runner.close()

    async def _stored_open(self) -> list[OperatorRequest]:
        return list(await self.world.real.open_requests())


@dataclass
class Record:
    """The invariants I1, I2, I4 and I6, from the journal and what the nodes got."""

    journal: list[events.Event]
    links: list[RecordingLink]
    open: set[RequestId] = field(default_factory=set)

    def check(self) -> None:
        self.decisions = {
            e.decision_id: e
            for e in self.journal
            if isinstance(e, events.WindowDecided | events.HoldReleased)
        }
        self.issued = [
            e.permit for e in self.journal if isinstance(e, events.PermitIssued)
        ]
        self.permission_needs_a_decision()
        self.held_is_left_by_name()
        self.every_request_ends_once()
        self.epochs_rise()

    def permission_needs_a_decision(self) -> None:
        sent = [(link, permit) for link in self.links for permit in link.permits]
        assert len({p.permit_id for _, p in sent}) == len(sent)
        for link, permit in sent:
            assert permit.session_epoch == link.session_epoch
            assert permit in self.issued
            assert permit.action is not Action.STOP
            self.rests(permit)

    def rests(self, permit: Permit) -> None:
        decided = self.decisions[permit.decision_id]
        assert decided.cell_id == permit.cell_id
        assert decided.window_digest == permit.window_digest
        if isinstance(decided, events.HoldReleased):
            return
        label = FAMILY.label(permit.label)
        assert label is not None
        assert label.action is permit.action
        if decided.verdict.decision is Decision.ACT:
            assert decided.epoch == permit.session_epoch
            assert decided.verdict.prediction is not None
            assert decided.verdict.prediction.label == permit.label
            return
        assert decided.verdict.decision is Decision.ASK
        asked = {
            e.request.request_id
            for e in self.journal
            if isinstance(e, events.RequestOpened)
            and e.request.decision_id == permit.decision_id
        }
        answers = [
            e.label
            for e in self.journal
            if isinstance(e, events.RequestAnswered) and e.request_id in asked
        ]
        assert answers == [permit.label]

    def held_is_left_by_name(self) -> None:
        for moved in self.journal:
            if not isinstance(moved, events.CellMoved):
                continue
            if moved.before is CellState.HELD and moved.after in AT_WORK:
                assert moved.event is CellEvent.RELEASED
                assert moved.actor is not None
                assert moved.actor.person
            if moved.after is CellState.WORKING:
                assert moved.before in AT_WORK

    def every_request_ends_once(self) -> None:
        opened = [
            e.request.request_id
            for e in self.journal
            if isinstance(e, events.RequestOpened)
        ]
        ended = Counter(
            e.request_id
            for e in self.journal
            if isinstance(e, events.RequestAnswered | events.RequestEnded)
        )
        assert len(set(opened)) == len(opened)
        assert set(ended) <= set(opened)
        assert set(ended.values()) <= {1}
        assert not any(
            e.outcome is Outcome.ANSWERED
            for e in self.journal
            if isinstance(e, events.RequestEnded)
        )
        self.open = set(opened) - set(ended)

    def epochs_rise(self) -> None:
        epochs = [e.epoch for e in self.journal if isinstance(e, events.SessionOpened)]
        assert epochs == sorted(set(epochs))


TestAnyOrder = CellMachine.TestCase
TestAnyOrder.settings = settings(max_examples=120, stateful_step_count=30)
