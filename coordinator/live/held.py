"""How a held cell gets going again: answers, releases, maintenance, the policy.

The part of the live path that no window moves. Durable first: what a permit rests on is
committed before the permit leaves. After every await, look again: a hold or a lost link
may have come in between; then the permit that was about to leave stays here.
"""

from __future__ import annotations

from collections.abc import Callable

from coordinator.clock import SECOND_NS, Clock
from coordinator.errors import ReleaseRefusedError, StoreLateError
from coordinator.live.cell import control
from coordinator.live.cell.holds import AUTOSTART, POLICY_MAY_CLEAR
from coordinator.live.cell.permit import PermitMaker
from coordinator.live.cell.record import CellRecord
from coordinator.live.gate.last_word import LastWord
from coordinator.live.linked import LinkedCell, tell
from coordinator.live.request.queue import RequestQueue
from coordinator.seams import Store
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
    PermitPurpose,
    RequestKind,
    Stand,
    events,
    new_id,
)

AUTOSTART_EVERY_NS = 5 * SECOND_NS
"""The policy releases a cell no sooner after a release: a bad line brings one late
decision, one lost session after another, and nothing may flap."""


class HeldCell(LinkedCell):
    """One cell with its way out of HELD."""

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
        super().__init__(cell, store)
        self._requests = requests
        self._permits = permits
        self._store = store
        self._clock = clock
        self._family_now = family_now
        self._autostart = autostart
        self._last_word = LastWord()
        self._released_ns = -AUTOSTART_EVERY_NS
        self._too_late: set[DecisionId] = set()

    async def _control(self, message: control.Control) -> None:
        """Carry one message of the control lane, and what follows from it."""
        if isinstance(message, control.Record) and message.done.done():
            return  # whoever wanted to know it waits no more; a tick writes it down
        match message:
            case control.Opening():
                await tell(message.done, self._open(message))
            case control.Answered():
                await self._answered(message.request, message.actor)
            case control.Release():
                await tell(message.done, self._released(message))
            case control.Maintenance():
                await tell(message.done, self._maintain(message))
            case control.PermitUsed():
                await self._permit_used(message)
            case control.Record():
                await tell(message.done, self._ledger.record())
            case _:
                self._note(message)
        await self._ledger.record()
        await self._try_what_waits()

    def _note(
        self,
        message: control.Connected
        | control.LinkEnded
        | control.Expired
        | control.PermitUnused
        | control.Tick,
    ) -> None:
        match message:
            case control.Connected():
                self._connected(message.link, message.scene)
            case control.LinkEnded():
                self._link_ended(message)
            case control.Expired():
                self._expired(message.request)
            case control.PermitUnused():
                self._permit_unused(message)
            case control.Tick():
                self._show_question()

    # -- what people say -------------------------------------------------------------

    async def _answered(self, request: OperatorRequest, actor: Actor) -> None:
        """Carry out an answer: permit its action, or hold if its label says stop."""
        if not self.waits_for(request):
            self._hold_if_nobody_is_asked()
            return
        self._last_word.heard(request)
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
        await self._ledger.commit(events.PermitIssued(permit, actor))
        if not self.waits_for(request) or not self._is_current(permit):
            self._hold_if_nobody_is_asked()
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

    def _hold_if_nobody_is_asked(self) -> None:
        """Hold a cell that waits for an answer which no open question will give."""
        asked = self._requests.question_of(self.cell.cell_id)
        if self._is(CellState.ASKING) and asked is None:
            text = "the robot does not stand where it stood when people were asked."
            self.hold(HoldReason.IDENTITY, text)

    def _expired(self, request: OperatorRequest) -> None:
        """Nobody answered: the cell stays where it is, now held for that reason."""
        asks = (
            self._is(CellState.ASKING)
            and request.kind is RequestKind.QUESTION
            and request.window_digest == self.cell.scene.window_digest
        )
        if asks:
            text = f"nobody answered within {request.time_allowed_ns / 1e9:.0f} s."
            self.cell.move(CellEvent.EXPIRED, text, latch=HoldReason.LOW_CONFIDENCE)

    def _show_question(self) -> None:
        """Point to the question that is open now; another may have succeeded it."""
        asked = self._requests.question_of(self.cell.cell_id)
        if asked is not None and self._is(CellState.ASKING):
            self.cell.point_to(asked.request_id)

    # -- out of HELD ----------------------------------------------------------------

    async def _released(self, message: control.Release) -> None:
        """Release by name; what is to be done then follows in _go_on."""
        if message.once is not None and await self._store.replied(message.once):
            if self._is(CellState.HELD):
                raise ReleaseRefusedError("it is held by now. Look, and release anew.")
            return
        if not self._is(CellState.HELD):
            raise ReleaseRefusedError(f"the cell is {self.cell.state.value}, not held.")
        if unsafe := self._unsafe_to_release():
            raise ReleaseRefusedError(unsafe)
        self.cell.holds.clearance(message.actor, message.seen)
        if message.disposition is Action.STOP:
            raise ReleaseRefusedError("a part cannot be released with stop.")
        disposition = message.disposition.value if message.disposition else ""
        released = events.HoldReleased(
            decision_id=DecisionId(new_id("d")),
            cell_id=self.cell.cell_id,
            actor=message.actor,
            reasons=tuple(sorted(self.cell.holds.reasons)),
            disposition=disposition,
            note=message.note,
            window_digest=self.cell.scene.window_digest if disposition else NO_DIGEST,
        )
        mark = self.cell.holds.latched
        try:
            await self._ledger.commit(
                released,
                once=message.once,
                reply="released",
                then=lambda _: self._hold_on(released),
            )
        except StoreLateError:
            self._too_late.add(released.decision_id)
            raise
        newer = self.cell.holds.since(mark)
        self._released_ns = self._clock.monotonic_ns()
        self.cell.move(
            CellEvent.RELEASED, actor=message.actor, decision_id=released.decision_id
        )
        self._waiting_release = released
        for reason, text in newer.items():
            # The cord was pulled while the release was written down: it holds on.
            self._hold_now(reason, text)

    def _hold_on(self, released: events.HoldReleased) -> None:
        """Latch again on record what a release cleared there that came too late.

        Whoever released was told that it failed, and the cell never moved.
        """
        if released.decision_id not in self._too_late:
            return
        self._too_late.discard(released.decision_id)
        self.cell.latch_again()
        self.tick()

    def _unsafe_to_release(self) -> str:
        """Why nobody may release the cell now, whatever holds it; "" if they may."""
        if self.cell.hold_unconfirmed:
            return "the robot does not confirm that it holds: go and look."
        if self.cell.scene.stand is Stand.STOPPED:
            # A release that waited would start it the moment the stop is ended.
            return "the robot's safety system stops it: end that at the robot first."
        return ""

    async def _go_on(self, released: events.HoldReleased) -> None:
        """Do what a released cell needs, by where its robot stands."""
        if not self._is(CellState.IDLE) or self._link is None:
            self._waiting_release = None
            return
        scene = self.cell.scene
        disposition = None
        match scene.stand:
            case Stand.DECIDING if (
                released.disposition and scene.window_digest == released.window_digest
            ):
                purpose = PermitPurpose.NEXT_STEP
                disposition = Action(released.disposition)
            case Stand.DECIDING:
                self._waiting_release = None
                self._link.reoffer()
                return
            case Stand.PAUSED:
                purpose = PermitPurpose.RESUME
            case Stand.AT_START:
                purpose = PermitPurpose.START
            case _:
                return  # the node has not said yet that its robot stands
        self._waiting_release = None
        permit = self._permits.make(
            self._link,
            purpose,
            released.decision_id,
            disposition or Action.CONTINUE,
            window_digest=scene.window_digest if disposition else NO_DIGEST,
            cycle=scene.cycle,
        )
        await self._end_question(f"released by {released.actor.person}.")
        await self._ledger.commit(events.PermitIssued(permit, released.actor))
        if self._is(CellState.IDLE) and self._is_current(permit):
            self.cell.move(CellEvent.STARTED, decision_id=released.decision_id)
            self._send(permit)

    async def _maintain(self, message: control.Maintenance) -> None:
        """Take the cell out of work, or back; either way a person must release it."""
        once = message.once
        if once is not None and await self._store.replied(once) is not None:
            return
        if message.on and self._is(CellState.MAINTENANCE):
            return
        event = CellEvent.MAINTENANCE_ON if message.on else CellEvent.MAINTENANCE_OFF
        text = message.note or (
            "out of work." if message.on else "back from work on it."
        )
        self.cell.move(event, text, actor=message.actor, latch=HoldReason.OPERATOR_HOLD)
        self._waiting_release = None
        if message.on and self._link is not None:
            self._link.withdraw(HoldReason.OPERATOR_HOLD, text)
        await self._ledger.commit(once=once, reply=event.value)

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
            and not self._unsafe_to_release()
            and bool(reasons)
            and reasons <= POLICY_MAY_CLEAR[AUTOSTART.person]
            and rested_ns >= AUTOSTART_EVERY_NS
        )

    async def _end_question(self, text: str, keep: str = "") -> None:
        """End the cell's open question, unless it is about the evidence to keep."""
        question = self._requests.question_of(self.cell.cell_id)
        if question is not None and question.window_digest != keep:
            await self._requests.end(question, Outcome.SUPERSEDED, text)
