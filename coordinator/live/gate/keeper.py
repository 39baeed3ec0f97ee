"""Keeps the standing of one family's gate: hears, records, and gives the rule for now.

What opens the gate is committed before it counts; what closes it counts before it is
committed. So a full disk can keep a gate from opening, and cannot keep one open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from coordinator import log
from coordinator.clock import Clock
from coordinator.errors import (
    AlreadyDoneError,
    AndonError,
    ConflictError,
    InputError,
)
from coordinator.live.gate.audit import Pace, audit_share
from coordinator.live.gate.cases import SILENT, Noted
from coordinator.live.gate.judge import Gate
from coordinator.live.gate.patience import reason_to_stay
from coordinator.live.gate.plan import GatePlan, Mode
from coordinator.live.gate.restore import recalled, restore
from coordinator.live.gate.shown import line_of, status_of
from coordinator.live.gate.signals import lot_of, measure, names, shift_of
from coordinator.live.gate.standing import GateEvent, Standing
from coordinator.seams import Store
from coordinator.terms import (
    Actor,
    Closing,
    Digest,
    Family,
    GateLine,
    GateRow,
    GateState,
    GateStatus,
    IdempotencyKey,
    Judged,
    OperatorRequest,
    Outcome,
    SensorWindow,
    WindowId,
    events,
)

LONGEST: Final = timedelta(days=31)
"""An engineer's word does not last longer."""
RETRY_S: Final = 1.0
"""Time until a commit that failed is tried again, s."""
MOVED: Final = frozenset({Closing.DRIFT, Closing.ALARM})
"""Closings that say that the model has something to learn."""

READING: Final = "the gate reads what is on record: a person answers until then."
FAILED: Final = "the gate failed: a person answers until andon is started again."

_log = log.get("gate")
Serving = Callable[[], Digest]
"""The model in the slot; "" when none serves."""


class GateKeeper:
    """The gate of one family. Not thread-safe: it lives on the event loop.

    What the path calls never waits. Until run() has read the store, people are asked.
    """

    def __init__(
        self,
        *,
        family_now: Callable[[], Family],
        plan: GatePlan,
        store: Store,
        clock: Clock,
        serving: Serving,
        changed: Callable[[], None],
    ) -> None:
        """Begin with a gate that asks about everything.

        Args:
            family_now: The family, with every label known now.
            plan: What is promised.
            store: For what is recorded.
            clock: For ends and paces.
            serving: The model in the slot.
            changed: Called when what is said about the gate has changed.
        """
        self._family_now = family_now
        self._plan = plan
        self._store = store
        self._clock = clock
        self._serving = serving
        self._changed = changed
        self.family_id = family_now().family_id
        self._standing = Standing(self.family_id, plan, names(family_now()))
        self._pace = Pace()
        self._woken = asyncio.Event()
        self._recording = asyncio.Lock()
        self._asks = READING  # why everybody is asked whatever is proven; "" for no
        self._moved = 0
        self._waiting: list[Callable[[], None]] = []
        self._said: GateLine | None = None
        self._began_at, self._began_ns = clock.utc_now(), clock.monotonic_ns()

    # -- for the path ----------------------------------------------------------------

    def judge(self) -> Gate:
        """See GateDesk."""
        if self._asks:
            return Gate(1.0, ask_all=True, asks_because=self._asks)
        self._standing.serve(self._serving())
        return self._standing.gate(self._now())

    def audit_share(self) -> float:
        """See GateDesk."""
        pace = self._pace.per_hour(self._clock.monotonic_ns())
        return audit_share(self.state(), self._plan.audits, pace)

    def judged(self, window: SensorWindow, judged: Judged) -> None:
        """See GateDesk."""
        prediction = judged.verdict.prediction
        if prediction is None:
            return
        self._pace.note(self._clock.monotonic_ns())
        now = self._now()
        seen = Noted(
            decision_id=judged.decision_id,
            window_id=window.window_id,
            verdict=judged.verdict,
            coin=judged.coin,
            place=(lot_of(window.part_id), shift_of(now), str(window.cell_id)),
            signals=measure(window, prediction),
        )
        self._note(lambda: self._standing.judged(seen, self._family_now(), now))

    # -- for the questions -----------------------------------------------------------

    def heard(self, request: OperatorRequest) -> None:
        """Note how a question or an audit about one window stands."""
        if request.family != self.family_id or request.is_known:
            return  # a known case was chosen, not drawn: it is no evidence
        decision_id, now = request.decision_id, self._now()
        if request.is_open:
            self._note(lambda: self._standing.reopen(decision_id))
            return
        truth = request.label if request.outcome is Outcome.ANSWERED else SILENT
        self._note(lambda: self._standing.settle(decision_id, truth, now))

    def taken_back(self, window_id: WindowId) -> None:
        """A label was taken back: the case counts as never answered."""
        self._note(lambda: self._standing.take_back(window_id))

    def tick(self) -> None:
        """Look whether time has ended something; called now and then."""
        if not self._asks:
            self._standing.serve(self._serving())
        self._look()

    def fail(self) -> None:
        """After a fault in here: ask about everything until andon is started again.

        What the gate rests on is let go: who does not know how it failed cannot say
        what of it still stands.
        """
        self._asks = FAILED
        self._standing = Standing(self.family_id, self._plan, names(self._family_now()))
        self._waiting.clear()

    # -- for people ------------------------------------------------------------------

    def state(self) -> GateState:
        """On what the gate rests now."""
        if self._asks:
            return GateState.ASK_ALL
        self._standing.serve(self._serving())
        return self._standing.state(self._now())

    def text(self) -> str:
        """One sentence about the gate."""
        return self._asks or self._standing.text(self._now())

    def stays(self) -> str:
        """Why the serving model goes on although a better one waits; "" for nothing."""
        return reason_to_stay(self._standing, self._plan, self.state())

    def moved(self) -> int:
        """How often the gate was shut because the world had moved, since the start."""
        return self._moved

    def line(self) -> GateLine:
        """What is always shown."""
        return line_of(self._standing, self.state(), self.text())

    def status(self) -> GateStatus:
        """All that is known about the gate."""
        share = self.audit_share()
        return status_of(self._standing, self.line(), self.family_id, self._plan, share)

    async def grant(
        self,
        actor: Actor,
        *,
        threshold: float,
        duration: timedelta,
        note: str = "",
        once: IdempotencyKey | None = None,
    ) -> GateStatus:
        """Let the gate act although no risk is certified, by name and until a time.

        Args:
            actor: Who says so.
            threshold: Least calibrated probability to act, in [0.5, 1].
            duration: How long, at most 31 days.
            note: Why.
            once: Makes a repeated call harmless.

        Raises:
            ConflictError: the gate is configured to ask about everything.
            InputError: the threshold or the duration is out of range.
            StoreDegradedError: it could not be recorded; nothing is granted.
        """
        if await self._replied(once):
            return self.status()
        if self._plan.mode is Mode.ASK_ALL:
            raise ConflictError(
                "the gate is configured to ask about everything.", "GATE_ASKS_ALL"
            )
        if not 0.5 <= threshold <= 1.0:
            raise InputError(
                f"threshold {threshold}, allowed 0.5 to 1.", "BAD_THRESHOLD"
            )
        if not timedelta(0) < duration <= LONGEST:
            raise InputError(
                f"{duration} is no time to end, allowed up to {LONGEST.days} days.",
                "BAD_DURATION",
            )
        until = self._now() + duration
        await self._record(
            (events.ProvisionalGranted(self.family_id, actor, threshold, until, note),),
            once,
        )
        return self.status()

    async def close(
        self, actor: Actor, *, note: str = "", once: IdempotencyKey | None = None
    ) -> GateStatus:
        """Ask about everything from now on, by name; at once, and then on record.

        Raises:
            StoreDegradedError: it could not be recorded yet; people are asked already.
        """
        if await self._replied(once):
            return self.status()
        text = f"closed by {actor.person}{f': {note}' if note else ''}."
        self._standing.close(
            events.GateClosed(self.family_id, Closing.PERSON, text, (), actor)
        )
        await self._carry_out(once)
        return self.status()

    async def _replied(self, once: IdempotencyKey | None) -> bool:
        """Whether this very call was carried out before."""
        return once is not None and await self._store.replied(once) is not None

    # -- the loop --------------------------------------------------------------------

    async def run(self) -> None:
        """Read what is on record, then record what happens, for ever."""
        await self._until_done(self.begin)
        while True:
            await self._woken.wait()
            self._woken.clear()
            await self._until_done(self._carry_out)

    async def _until_done(self, work: Callable[[], Awaitable[None]]) -> None:
        """Try again for as long as the store takes or tells nothing."""
        while True:
            try:
                return await work()
            except AndonError as error:
                _log.error("gate_waits", code=error.code, text=error.text)
                await self._clock.sleep(RETRY_S)

    async def catch_up(self) -> None:
        """Record what is due now, for who has no loop running."""
        await self._carry_out()

    async def begin(self) -> None:
        """Take over what is on record, once the model that serves is in its slot.

        Raises:
            StoreError: it cannot be read, or what is configured cannot be recorded;
                begin again.
        """
        if self._asks == READING:
            await self._remember()
        if not self._asks:
            await self._configured(await self._store.gate(self.family_id))
        self._look()

    async def _remember(self) -> None:
        """Live through what is on record."""
        while await self._store.serving(self.family_id) and not self._serving():
            await self._woken.wait()
            self._woken.clear()
        model = self._serving()
        row = await self._store.gate(self.family_id)
        first = row.evidence_seq
        if row.certificate or row.permission:
            first = min(first, row.opened_seq)
        cases = await self._store.gate_cases(self.family_id, model, first)
        signals = await recalled(self._store, cases)
        if self._asks != READING:
            return  # it failed meanwhile
        now = self._now()
        restore(self._standing, row, cases, signals, self._family_now(), model, now)
        self._asks = ""
        for note in self._waiting:
            note()
        self._waiting.clear()

    async def _configured(self, row: GateRow) -> None:
        """Grant what the configuration says, once: an end is not moved by a restart."""
        said = self._plan.word
        if said is None or said.source == row.source:
            return
        granted = events.ProvisionalGranted(
            self.family_id,
            Actor(said.person, "andon.toml"),
            said.threshold,
            self._now() + said.life,
            "named in the configuration.",
            said.source,
        )
        await self._record((granted,))

    async def _carry_out(self, once: IdempotencyKey | None = None) -> None:
        """Record what is due, one thing after another."""
        while due := self._standing.due(self._now()):
            try:
                await self._record(due, once)
            except ConflictError as error:
                # Another model began to serve while this was on its way.
                _log.warning("gate_overtaken", code=error.code, text=error.text)
                return
            once = None

    async def _record(
        self, due: tuple[GateEvent, ...], once: IdempotencyKey | None = None
    ) -> None:
        def follow(_: object) -> None:
            for event in due:
                self._standing.applied(event)
                if isinstance(event, events.GateClosed) and event.why in MOVED:
                    self._moved += 1
                _log.info("gate", family=self.family_id, happened=type(event).__name__)
            self._look()

        async with self._recording:
            with suppress(AlreadyDoneError):
                await self._store.commit(*due, once=once, reply="done", then=follow)

    # -- small things ----------------------------------------------------------------

    def _note(self, note: Callable[[], None]) -> None:
        if self._asks == READING:
            self._waiting.append(note)
        elif not self._asks:
            note()
            self._look()

    def _look(self) -> None:
        """Wake the loop when something is due, and tell when something has changed."""
        if self._asks == READING:
            self._woken.set()
            return
        now = self._now()
        if self._standing.due(now):
            self._woken.set()
        said = self.line()
        if said != self._said:
            self._said = said
            self._changed()

    def _now(self) -> datetime:
        """UTC, but never later to come than this process has waited for it.

        A wall clock that is set back must not prolong what ends at a time.
        """
        waited = timedelta(
            microseconds=(self._clock.monotonic_ns() - self._began_ns) / 1000
        )
        return max(self._clock.utc_now(), self._began_at + waited)
