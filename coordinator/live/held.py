"""How a cell is held, and how it gets going again: links, releases, permits.

The part of the live path that no window moves. Durable first: what a permit rests on is
committed before the permit leaves. After every await, look again: a hold or a lost link
may have come in between; then the permit that was about to leave stays here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coordinator import log
from coordinator.clock import SECOND_NS, Clock
from coordinator.errors import (
    AndonError,
    ConflictError,
    ReleaseRefusedError,
    StoreError,
)
from coordinator.live.cell import control
from coordinator.live.cell.holds import AUTOSTART, POLICY_MAY_CLEAR
from coordinator.live.cell.permit import PermitMaker
from coordinator.live.cell.record import CellRecord
from coordinator.live.request.queue import RequestQueue
from coordinator.live.window.inbox import Inbox
from coordinator.seams import NodeLink, Store
from coordinator.terms import (
    NO_DIGEST,
    Action,
    Actor,
    CellEvent,
    CellState,
    DecisionId,
    Family,
    HoldReason,
    OperatorRequest,
    Outcome,
    Permit,
    PermitPurpose,
    RequestKind,
    Scene,
    SensorWindow,
    Stand,
    events,
    new_id,
)

_log = log.get("live")
AUTOSTART_EVERY_NS = SECOND_NS
"""The policy releases a cell at most this often, so that nothing flaps."""


class HeldCell:
    """One cell with its link, its permits and its way out of HELD."""

    def __init__(  # noqa: PLR0913 - collaborators, each named at the call
        self,
        *,
        cell: CellRecord,
        requests: RequestQueue,
        permits: PermitMaker,
        store: Store,
        clock: Clock,
        family_now: Callable[[], Family],
        autostart: bool,
    ) -> None:
        self.cell = cell
        self.inbox: Inbox[control.Control] = Inbox()
        self._requests = requests
        self._permits = permits
        self._store = store
        self._clock = clock
        self._family_now = family_now
        self._autostart = autostart
        self._link: NodeLink | None = None
        self._waiting_release: events.HoldReleased | None = None
        self._released_ns = -AUTOSTART_EVERY_NS

    @property
    def link(self) -> NodeLink | None:
        """The way to the node; None while offline."""
        return self._link

    def hold(self, reason: HoldReason, text: str, actor: Actor | None = None) -> None:
        """Hold at once: no await, no store. What is to be recorded follows."""
        self._hold_now(reason, text, actor)
        self.inbox.post(control.Tick())

    def _hold_now(
        self, reason: HoldReason, text: str, actor: Actor | None = None
    ) -> None:
        self._waiting_release = None
        self.cell.hold(reason, text, actor)
        if self._link is not None:
            self._link.withdraw(reason, text)
        _log.info("hold", cell=self.cell.cell_id, reason=reason.name, text=text)

    async def _control(self, message: control.Control) -> None:
        """Carry one message of the control lane, and what follows from it."""
        match message:
            case control.Connected():
                self._connected(message.link, message.scene)
            case control.Answered():
                await self._answered(message.request, message.actor)
            case control.Release():
                await self._release(message)
            case _:
                self._note(message)
        await self.record()
        await self._try_what_waits()

    def _note(
        self,
        message: control.LinkEnded
        | control.Expired
        | control.Maintenance
        | control.PermitUsed
        | control.PermitUnused
        | control.Tick,
    ) -> None:
        match message:
            case control.LinkEnded():
                self._link_ended(message)
            case control.Expired():
                self._expired(message.request)
            case control.Maintenance():
                self._maintenance(message)
            case control.PermitUsed():
                self.cell.unrecorded.append(
                    events.PermitConsumed(
                        message.permit_id, self.cell.cell_id, message.session_epoch
                    )
                )
            case control.PermitUnused():
                self._permit_unused(message)
            case control.Tick():
                pass

    # -- what people say -------------------------------------------------------------

    async def _answered(self, request: OperatorRequest, actor: Actor) -> None:
        """Carry out an answer: permit its action, or hold if its label says stop."""
        if not self.waits_for(request):
            return
        label = self._family_now().label(request.label)
        if label is None or label.action is Action.STOP:
            self.hold(
                HoldReason.STOP_LABEL,
                f"{actor.person} says {request.label}: a person must look.",
                actor,
            )
            return
        held = self.cell.state is CellState.HELD
        permit = self._permits.make(
            self._link,
            PermitPurpose.NEXT_STEP,
            request.decision_id,
            label.action,
            label=label.name,
            window_digest=request.window_digest,
            cycle=request.cycle,
        )
        await self._commit(events.PermitIssued(permit, actor))
        if not self.waits_for(request) or not self._is_current(permit):
            return
        if held:
            self.cell.move(CellEvent.RELEASED, actor=actor)
            self.cell.move(CellEvent.STARTED, decision_id=permit.decision_id)
        else:
            self.cell.move(CellEvent.ANSWERED, actor=actor)
        self._send(permit)

    def waits_for(self, request: OperatorRequest) -> bool:
        """Whether the cell stands in the very scene the request asked about."""
        same = (
            request.kind is RequestKind.QUESTION
            and self._link is not None
            and self.cell.scene.stand is Stand.DECIDING
            and self.cell.scene.window_digest == request.window_digest
        )
        timed_out = self.cell.state is CellState.HELD and (
            self.cell.holds.reasons == {HoldReason.LOW_CONFIDENCE}
        )
        return same and (self.cell.state is CellState.ASKING or timed_out)

    def _expired(self, request: OperatorRequest) -> None:
        """Nobody answered: the cell stays where it is, now held for that reason."""
        if self.cell.state is not CellState.ASKING:
            return
        text = f"nobody answered within {request.time_allowed_ns / 1e9:.0f} s."
        self.cell.holds.latch(HoldReason.LOW_CONFIDENCE, text)
        self.cell.move(CellEvent.EXPIRED, text)

    # -- out of HELD ----------------------------------------------------------------

    async def _release(self, message: control.Release) -> None:
        """Release by name, then start, resume, permit or judge again."""
        done = message.done
        try:
            await self._released(message)
        except AndonError as error:
            if done is None:
                raise
            if not done.done():
                done.set_exception(error)
            return
        if done is not None and not done.done():
            done.set_result(None)

    async def _released(self, message: control.Release) -> None:
        if not self._is(CellState.HELD):
            raise ReleaseRefusedError(f"the cell is {self.cell.state.value}, not held.")
        self.cell.holds.clearance(message.actor, message.seen)
        if message.disposition is Action.STOP:
            raise ReleaseRefusedError("a part cannot be released with stop.")
        reasons = self.cell.holds.reasons
        released = events.HoldReleased(
            decision_id=DecisionId(new_id("d")),
            cell_id=self.cell.cell_id,
            actor=message.actor,
            reasons=tuple(sorted(reasons)),
            disposition=message.disposition.value if message.disposition else "",
            note=message.note,
        )
        await self._store.commit(released, once=message.once, reply="released")
        if not self._is(CellState.HELD) or self.cell.holds.reasons != reasons:
            raise ReleaseRefusedError("something else came up meanwhile. Look again.")
        self._released_ns = self._clock.monotonic_ns()
        self.cell.move(
            CellEvent.RELEASED, actor=message.actor, decision_id=released.decision_id
        )
        self._waiting_release = released

    async def _go_on(self, released: events.HoldReleased) -> None:
        """Do what a released cell needs, by where its robot stands."""
        if not self._is(CellState.IDLE) or self._link is None:
            return
        disposition = Action(released.disposition) if released.disposition else None
        match self.cell.scene.stand:
            case Stand.DECIDING if disposition is None:
                self._waiting_release = None
                self._link.reoffer()
                return
            case Stand.DECIDING:
                purpose = PermitPurpose.NEXT_STEP
            case Stand.PAUSED:
                purpose, disposition = PermitPurpose.RESUME, None
            case Stand.AT_START:
                purpose, disposition = PermitPurpose.START, None
            case _:
                return  # the node has not said yet that its robot stands
        self._waiting_release = None
        scene = self.cell.scene
        permit = self._permits.make(
            self._link,
            purpose,
            released.decision_id,
            disposition or Action.CONTINUE,
            window_digest=scene.window_digest if disposition else NO_DIGEST,
            cycle=scene.cycle,
        )
        await self._end_question(f"released by {released.actor.person}.")
        await self._commit(events.PermitIssued(permit, released.actor))
        if self._is(CellState.IDLE) and self._is_current(permit):
            self.cell.move(CellEvent.STARTED, decision_id=released.decision_id)
            self._send(permit)

    def _maintenance(self, message: control.Maintenance) -> None:
        event = CellEvent.MAINTENANCE_ON if message.on else CellEvent.MAINTENANCE_OFF
        try:
            if not message.on:
                self.cell.holds.latch(
                    HoldReason.OPERATOR_HOLD, "back from maintenance."
                )
            self.cell.move(event, actor=message.actor)
        except AndonError as error:
            message.done.set_exception(error)
            return
        if message.on and self._link is not None:
            self._link.withdraw(HoldReason.OPERATOR_HOLD, "taken out of work.")
        message.done.set_result(None)

    # -- the link --------------------------------------------------------------------

    def _connected(self, link: NodeLink, scene: Scene) -> None:
        """A node is there: the cell is held until somebody named starts it."""
        if self._link is not None:
            self.cell.move(CellEvent.LINK_LOST)
        self._link = link
        self.cell.epoch = link.session_epoch
        self.cell.connected = True
        self.cell.scene = scene
        self._waiting_release = None
        self.cell.holds.latch(HoldReason.LINK_LOST, "connected; waiting for a start.")
        self.cell.move(CellEvent.CONNECTED)

    def _link_ended(self, message: control.LinkEnded) -> None:
        if self._link is None or message.session_epoch != self._link.session_epoch:
            return
        self._link = None
        self.cell.connected = False
        self._waiting_release = None
        self.cell.holds.latch(HoldReason.LINK_LOST, message.why)
        self.cell.move(CellEvent.LINK_LOST, message.why)

    def _permit_unused(self, message: control.PermitUnused) -> None:
        self.cell.unrecorded.append(
            events.PermitDropped(
                message.permit_id,
                self.cell.cell_id,
                message.session_epoch,
                message.token,
                message.text,
            )
        )
        if self._link is None or message.session_epoch != self._link.session_epoch:
            return
        moved = message.token == "SCENE_MOVED"  # noqa: S105 - a reason, no secret
        reason = HoldReason.IDENTITY if moved else HoldReason.STALE_DATA
        self.hold(reason, message.text)

    # -- what follows ----------------------------------------------------------------

    async def _try_what_waits(self) -> None:
        """Carry out a release whose robot did not stand yet; let the policy act."""
        if self._waiting_release is not None:
            await self._go_on(self._waiting_release)
        elif self._autostart and self._policy_may_release():
            self._released_ns = self._clock.monotonic_ns()
            await self._released(
                control.Release(
                    actor=AUTOSTART,
                    seen=self.cell.holds.worst,
                    disposition=None,
                    note="",
                    once=None,
                    done=None,
                )
            )
            await self._try_what_waits()

    def _policy_may_release(self) -> bool:
        reasons = self.cell.holds.reasons
        rested_ns = self._clock.monotonic_ns() - self._released_ns
        return (
            self.cell.state is CellState.HELD
            and self._link is not None
            and bool(reasons)
            and reasons <= POLICY_MAY_CLEAR[AUTOSTART.person]
            and rested_ns >= AUTOSTART_EVERY_NS
        )

    def _send(self, permit: Permit) -> None:
        """Let a permit leave: it is durable, and still of this session."""
        if self._link is not None and self._is_current(permit):
            self._link.permit(permit)

    def _is_current(self, permit: Permit) -> bool:
        return self._is_of_this_session(permit.session_epoch)

    def _is_of_this_session(self, epoch: int) -> bool:
        return self._link is not None and epoch == self._link.session_epoch

    def _is(self, state: CellState) -> bool:
        """Whether the cell is in a state now, whatever it was before an await."""
        return self.cell.state is state

    async def _end_question(self, text: str, keep: str = "") -> None:
        """End the cell's open question, unless it is about the evidence to keep."""
        question = self._requests.question_of(self.cell.cell_id)
        if question is not None and question.window_digest != keep:
            await self._requests.end(question, Outcome.SUPERSEDED, text)

    async def _commit(
        self, *happened: events.Event, window: SensorWindow | None = None
    ) -> None:
        """Make events durable, together with what was not written down yet."""
        unrecorded, self.cell.unrecorded = self.cell.unrecorded, []
        try:
            await self._store.commit(*unrecorded, *happened, window=window)
        except StoreError:
            self.cell.unrecorded = [*unrecorded, *self.cell.unrecorded]
            raise
        except ConflictError:
            if not unrecorded:
                raise
            await self._one_by_one(unrecorded)
            if happened:
                await self._store.commit(*happened, window=window)

    async def _one_by_one(self, unrecorded: Sequence[events.Event]) -> None:
        """Record what can be; what a newer session has overtaken is left out."""
        for event in unrecorded:
            try:
                await self._store.commit(event)
            except ConflictError as error:
                _log.warning("not_recorded", cell=self.cell.cell_id, text=error.text)

    async def record(self) -> None:
        """Write down what changed without a decision behind it."""
        if self.cell.unrecorded:
            await self._commit()
