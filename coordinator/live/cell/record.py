"""What is known of one cell now: state, hold reasons, scene, counters.

Synchronous on purpose: a change happens whole or not at all between two awaits. What
has changed and is not in the journal yet waits in `unrecorded`; the path commits it
with the next thing it makes durable, or at the next tick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from coordinator.clock import Clock
from coordinator.live.cell.holds import Holds
from coordinator.live.cell.machine import CellMachine
from coordinator.seams import CellRow
from coordinator.terms import (
    Actor,
    CellEvent,
    CellId,
    CellState,
    CellStatus,
    Decision,
    DecisionId,
    FamilyId,
    HoldReason,
    RequestId,
    Scene,
    Stand,
    events,
)

_TEXT = {
    CellState.OFFLINE: "no node is connected.",
    CellState.IDLE: "released, waiting to start.",
    CellState.WORKING: "working.",
    CellState.DECIDING: "the model is asked.",
    CellState.ASKING: "waiting for an answer.",
    CellState.MAINTENANCE: "out of work.",
}

MOST_HOLDS: Final = 64
"""People's holds that wait for a journal one by one; more of them are counted."""

_AT_REST = frozenset({CellState.OFFLINE, CellState.HELD, CellState.MAINTENANCE})


class CellRecord:
    """One cell's present. Not thread-safe: it lives on the event loop."""

    def __init__(
        self,
        cell_id: CellId,
        family: FamilyId,
        *,
        clock: Clock,
        remembered: CellRow,
        publish: Callable[[CellStatus], None],
        monitor_only: bool = False,
    ) -> None:
        self.cell_id = cell_id
        self.family = family
        self.epoch = remembered.epoch
        self.connected = False
        self.scene = Scene(Stand.AT_START)
        self.request_id = ""
        self.hold_unconfirmed = remembered.hold_unconfirmed
        self.monitor_only = monitor_only
        self.unrecorded: list[events.Event] = []
        self.under_way: tuple[events.Event, ...] = ()
        self._clock = clock
        self._publish = publish
        self._machine = CellMachine(cell_id)
        self._holds = Holds(remembered.reasons)
        self._counts = Counter(remembered.counts)
        self._since_at = clock.utc_now()
        self._since_ns = clock.monotonic_ns()

    @property
    def state(self) -> CellState:
        """The state."""
        return self._machine.state

    @property
    def holds(self) -> Holds:
        """The active hold reasons."""
        return self._holds

    def move(
        self,
        event: CellEvent,
        text: str = "",
        *,
        actor: Actor | None = None,
        decision_id: DecisionId | None = None,
        latch: HoldReason | None = None,
    ) -> CellState:
        """Let one event happen and keep it for the journal.

        Args:
            event: What happened.
            text: One sentence about it.
            actor: Who made it happen, if somebody did.
            decision_id: What it rests on, if a decision.
            latch: The hold reason it brings; nothing is latched when it is illegal.

        Raises:
            IllegalTransitionError: the event means nothing in this state.
        """
        before = self.state
        after = self._machine.apply(event)
        if event is CellEvent.RELEASED:
            self._holds.clear()
        if latch is not None:
            self._holds.latch(latch, text)
        if after is not before:
            self._since_at = self._clock.utc_now()
            self._since_ns = self._clock.monotonic_ns()
            self.unrecorded.append(
                events.CellMoved(
                    cell_id=self.cell_id,
                    epoch=self.epoch,
                    event=event,
                    before=before,
                    after=after,
                    reasons=tuple(sorted(self._holds.reasons)),
                    text=text,
                    actor=actor,
                    decision_id=decision_id,
                )
            )
        if after is not CellState.ASKING:
            self.request_id = ""
        self.tell()
        return after

    def hold(self, reason: HoldReason, text: str, actor: Actor | None = None) -> bool:
        """Latch a reason and hold, in every state.

        Returns:
            Whether it is news, and goes into the journal. A person's hold always is;
            what holds by itself is not when it says again what it said before.
        """
        known = reason in self._holds.reasons and self.state in _AT_REST
        if known and actor is None:
            self._holds.latch(reason, text)
            return False
        placed = events.HoldPlaced(self.cell_id, reason, text, actor)
        if not (known and self._said_before(placed)):
            self.unrecorded.append(placed)
        self.move(CellEvent.HOLD, text, actor=actor, latch=reason)
        return True

    def _said_before(self, placed: events.HoldPlaced) -> bool:
        """Count a hold with one that waits for the journal; False when none does.

        With one that says the same; where very many wait, with any of its reason. What
        is on its way into the journal stays as it is.
        """
        sent = {id(event) for event in self.under_way}
        waiting = [
            (index, event)
            for index, event in enumerate(self.unrecorded)
            if isinstance(event, events.HoldPlaced) and id(event) not in sent
        ]
        many = len(waiting) >= MOST_HOLDS
        for index, event in reversed(waiting):
            same = replace(event, times=placed.times) == placed
            if same or (many and event.reason is placed.reason):
                self.unrecorded[index] = replace(event, times=event.times + 1)
                return True
        return False

    def latch_again(self) -> None:
        """Keep for the journal that every reason there is still holds."""
        self.unrecorded += [
            events.HoldPlaced(self.cell_id, reason, text)
            for reason, text in self._holds.since(-1).items()
        ]

    def written(self, happened: Sequence[events.Event]) -> None:
        """Strike what is in the journal by now, or is never to be."""
        done = {id(event) for event in happened}
        self.unrecorded = [e for e in self.unrecorded if id(e) not in done]
        self.under_way = ()

    def hold_answered(self, *, confirmed: bool) -> bool:
        """Note whether the robot's controller confirms that it holds.

        Nobody holds a robot that andon only watches: its node cannot know.

        Returns:
            Whether that is news, and goes into the journal.
        """
        if confirmed is not self.hold_unconfirmed or self.monitor_only:
            return False
        self.hold_unconfirmed = not confirmed
        kind = events.HoldConfirmed if confirmed else events.HoldUnconfirmed
        self.unrecorded.append(kind(self.cell_id, self.epoch))
        self.tell()
        return True

    def point_to(self, request_id: RequestId) -> None:
        """Name the question the cell waits for, while it asks."""
        if self.request_id != request_id:
            self.request_id = request_id
            self.tell()

    def count(self, decision: Decision) -> None:
        """Count one judged decision window."""
        self._counts[decision.value] += 1
        self.tell()

    def tell(self) -> None:
        """Publish the present."""
        self._publish(self.status())

    def status(self) -> CellStatus:
        """Return the present, for people."""
        return CellStatus(
            cell_id=self.cell_id,
            family=self.family,
            state=self.state,
            reasons=self._holds.reasons,
            text=self._holds.text or _TEXT.get(self.state, ""),
            since_at=self._since_at,
            since_ns=self._since_ns,
            request_id=self.request_id,
            cycle=self.scene.cycle,
            part_id=self.scene.part_id,
            session_epoch=self.epoch if self.connected else 0,
            acted=self._counts[Decision.ACT.value],
            asked=self._counts[Decision.ASK.value],
            held=self._counts[Decision.HOLD.value],
            hold_unconfirmed=self.hold_unconfirmed,
            monitor_only=self.monitor_only,
        )
