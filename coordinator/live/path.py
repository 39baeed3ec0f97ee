"""READ FIRST: the live path of one cell, from a window's arrival to a permit.

    window -> inference -> gate -> cell -> request

One inbox and one loop a cell: windows, answers, releases, lost links and time-outs come
through the same door, one at a time, so none of them can overtake another. Two rules
carry the rest:

* Durable first: what a permit rests on is committed before the permit leaves.
* After every await, look again: a hold or a lost link may have come in between; then
  the permit that was about to leave stays here.

Any failure is a HOLD with its reason. A person's hold does not even wait for this loop:
hold() takes effect at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Self

from coordinator import log
from coordinator.clock import Clock, seconds_to_ns
from coordinator.config import Settings
from coordinator.errors import (
    AndonError,
    LiveError,
    StaleEpochError,
    StoreError,
)
from coordinator.live.cell.permit import PermitMaker
from coordinator.live.cell.record import CellRecord
from coordinator.live.gate.audit import toss
from coordinator.live.gate.desk import GateDesk
from coordinator.live.gate.lately import Lately
from coordinator.live.held import HeldCell
from coordinator.live.request.opening import decided, opened
from coordinator.live.request.queue import RequestQueue
from coordinator.live.window.check import check
from coordinator.seams import Store
from coordinator.terms import (
    Actor,
    CellEvent,
    CellState,
    Decision,
    DecisionId,
    Family,
    HoldReason,
    Judged,
    OperatorRequest,
    PermitPurpose,
    Prediction,
    RequestKind,
    Scene,
    SensorWindow,
    Stand,
    TimeoutOutcome,
    Verdict,
    WindowKind,
    events,
    new_id,
)

_log = log.get("live")
_READY = frozenset({CellState.IDLE, CellState.WORKING})
Predict = Callable[[SensorWindow], Awaitable[Prediction | None]]
"""Inference, as the path sees it; None while no model serves."""


@dataclass(frozen=True, slots=True)
class PathSettings:
    """The numbers of one cell's path.

    Attributes:
        maximum_age_ns: Age of a window above which it is not judged.
        audit_seed: Seed of the audit coin.
        time_allowed_ns: Time to answer a question.
        audit_allowed_ns: Time to answer an audit, for which no cell waits.
        on_timeout: What happens to the part when nobody answers.
        autostart: The policy of that name is configured.
    """

    maximum_age_ns: int
    audit_seed: str
    time_allowed_ns: int
    audit_allowed_ns: int
    on_timeout: TimeoutOutcome
    autostart: bool

    @classmethod
    def of(cls, settings: Settings, seed: str) -> Self:
        """Return what a configuration says, with a store's own seed."""
        return cls(
            maximum_age_ns=seconds_to_ns(settings.gate.maximum_age_s),
            audit_seed=seed,
            time_allowed_ns=seconds_to_ns(settings.requests.deadline_s),
            audit_allowed_ns=seconds_to_ns(settings.gate.audit_deadline_s),
            on_timeout=settings.requests.timeout_outcome,
            autostart=settings.policies.autostart,
        )


class LivePath(HeldCell):
    """The five stages of one cell, in the order a window meets them."""

    def __init__(  # noqa: PLR0913 - the stages, each named at the call
        self,
        *,
        cell: CellRecord,
        family_now: Callable[[], Family],
        predict: Predict,
        gate: GateDesk,
        requests: RequestQueue,
        permits: PermitMaker,
        store: Store,
        clock: Clock,
        settings: PathSettings,
    ) -> None:
        super().__init__(
            cell=cell,
            requests=requests,
            permits=permits,
            store=store,
            clock=clock,
            family_now=family_now,
            autostart=settings.autostart,
        )
        self._predict = predict
        self._gate = gate
        self._lately = Lately()
        self._settings = settings

    # -- the door --------------------------------------------------------------------

    async def run(self) -> None:
        """Carry what arrives, until cancelled."""
        while True:
            await self.step()

    async def step(self) -> None:
        """Carry the one most urgent thing."""
        arrived = await self.inbox.next()
        try:
            if isinstance(arrived, SensorWindow):
                await self._window(arrived)
            else:
                await self._control(arrived)
        except StoreError as error:
            self._hold_now(HoldReason.STORE_DEGRADED, error.text)
        except StaleEpochError as error:  # a newer session is on record, and held
            self._hold_now(HoldReason.LINK_LOST, error.text)
        except AndonError as error:
            _log.error("path_refused", cell=self.cell.cell_id, text=error.text)
            self._hold_now(HoldReason.MODEL_FAULT, error.text)

    def offer(self, window: SensorWindow) -> None:
        """Take a window; the older one of its kind that still waits is given up."""
        pushed_out = self.inbox.offer(window)
        if pushed_out is not None:
            self._tell(pushed_out, _not_judged("OVERTAKEN", "a newer window came."))

    # -- a window's way --------------------------------------------------------------

    async def _window(self, window: SensorWindow) -> None:
        """Window -> inference -> gate -> cell -> request."""
        if not self._is_of_this_session(window.session_epoch):
            self.inbox.dropped["session_over"] += 1
            return
        if window.kind is WindowKind.MONITOR:
            await self._monitor(window)
        elif self.cell.state not in _READY:
            self._tell(window, _not_judged("CELL_HELD", "the cell is held."))
        else:
            self.cell.scene = Scene(
                Stand.DECIDING,
                window.cycle,
                window.step,
                window.part_id,
                window.digest,
            )
            self.cell.move(CellEvent.WINDOW)
            if not await self._already_asked(window):
                await self._end_question("another part waits.", keep=window.digest)
                await self._decide(window)

    async def _decide(self, window: SensorWindow) -> None:
        """Judge a window, then act, ask or hold."""
        judged = await self._judged(window)
        if not self._still(window, CellState.DECIDING):
            self._tell(window, _not_judged("OVERTAKEN", "the cell was held meanwhile."))
            return
        match judged.verdict.decision:
            case Decision.ACT:
                await self._act(window, judged)
            case Decision.ASK:
                await self._ask(window, judged)
            case Decision.HOLD:
                await self._hold(window, judged)

    async def _judged(self, window: SensorWindow) -> Judged:
        """Toss the audit coin, check, predict, judge: in this order."""
        family = self._family_now()
        coin = toss(window, self._gate.audit_share(), self._settings.audit_seed)
        findings = check(
            window,
            family,
            now_ns=self._clock.monotonic_ns(),
            maximum_age_ns=self._settings.maximum_age_ns,
        )
        usable = all(f.decision is not Decision.HOLD for f in findings)
        try:
            prediction = await self._predict(window) if usable else None
        except LiveError as error:
            rule = self._gate.judge()
            verdict = Verdict(
                Decision.HOLD, error.code, error.text, None, HoldReason.MODEL_FAULT
            )
        else:
            rule = self._gate.judge()
            if prediction is not None:
                findings += self._lately.see(prediction)
                findings += self._last_word.see(window.cycle, prediction)
            verdict = rule(prediction, findings, family)
        return Judged(DecisionId(new_id("d")), verdict, coin, rule.digest)

    async def _act(self, window: SensorWindow, judged: Judged) -> None:
        """Permit the next step with the label's action; durable first."""
        prediction = judged.verdict.prediction
        said = "" if prediction is None else prediction.label
        label = self._family_now().label(said)
        if label is None:
            raise LiveError("the gate acts on a label the family does not have.")
        permit = self._permits.make(
            self._link,
            PermitPurpose.NEXT_STEP,
            judged.decision_id,
            label.action,
            label=label.name,
            window_digest=window.digest,
            cycle=window.cycle,
        )
        audit = self._audit(window, judged)
        await self._ledger.commit(
            self._decided(window, judged),
            events.PermitIssued(permit),
            *([events.RequestOpened(audit)] if audit else []),
            window=window,
            then=lambda _: self._on_record(window, judged, audit),
        )
        if self._still(window, CellState.DECIDING):
            self.cell.move(CellEvent.ACT, decision_id=judged.decision_id)
            self._send(permit)
        self._tell(window, judged.verdict, audit)

    async def _ask(self, window: SensorWindow, judged: Judged) -> None:
        """Store the window and the question, then ask."""
        request = self._question(window, judged, RequestKind.QUESTION)
        await self._ledger.commit(
            self._decided(window, judged),
            events.RequestOpened(request),
            window=window,
            then=lambda _: self._on_record(window, judged, request),
        )
        if self._still(window, CellState.DECIDING):
            self.cell.move(CellEvent.ASK, judged.verdict.reason)
            self.cell.point_to(request.request_id)
        self._tell(window, judged.verdict, request)

    async def _hold(self, window: SensorWindow, judged: Judged) -> None:
        """Hold first, then write down why."""
        verdict = judged.verdict
        reason = verdict.hold_reason or HoldReason.MODEL_FAULT
        self.hold(reason, verdict.reason)
        audit = self._audit(window, judged)
        await self._ledger.commit(
            self._decided(window, judged),
            *([events.RequestOpened(audit)] if audit else []),
            window=window,
            then=lambda _: self._on_record(window, judged, audit),
        )
        self._tell(window, verdict, audit)

    def _on_record(
        self, window: SensorWindow, judged: Judged, request: OperatorRequest | None
    ) -> None:
        """Let the gate and the queue follow what is durable by now, however late."""
        self._gate.judged(window, judged)
        self.cell.count(judged.verdict.decision)
        if request:
            self._requests.add(request)

    async def _monitor(self, window: SensorWindow) -> None:
        """Let a window of the running step withdraw permission; it gives none.

        Without a model for monitor windows only the checks speak.
        """
        if self.cell.state is not CellState.WORKING:
            return
        findings = check(
            window,
            replace(self._family_now(), rows=len(window.samples)),
            now_ns=self._clock.monotonic_ns(),
            maximum_age_ns=self._settings.maximum_age_ns,
        )
        if findings and findings[0].code == "STALE":
            self.inbox.dropped["stale_monitor"] += 1
            return
        if not findings:
            return
        worst = findings[0]
        reason = worst.hold_reason or HoldReason.BAD_DATA
        verdict = Verdict(Decision.HOLD, worst.code, worst.text, None, reason)
        self.hold(reason, worst.text)
        coin = toss(window, 0.0, self._settings.audit_seed)
        rule = self._gate.judge()
        judged = Judged(DecisionId(new_id("d")), verdict, coin, rule.digest)
        await self._ledger.commit(self._decided(window, judged), window=window)
        self._tell(window, verdict)

    async def _already_asked(self, window: SensorWindow) -> bool:
        """Whether a person was asked about this very evidence before the link broke.

        An open question stays the question; an answer whose permit was never used
        stands. Neither asks anybody twice.
        """
        question = self._requests.question_of(self.cell.cell_id)
        if question is not None and question.window_digest == window.digest:
            self.cell.move(CellEvent.ASK, question.reason)
            self.cell.point_to(question.request_id)
            self._tell(window, _not_judged("ASKED_BEFORE", question.reason), question)
            return True
        if not window.offered_again:
            return False
        answered = await self._store.answered_for(self.cell.cell_id, window.digest)
        if answered is None or not self._still(window, CellState.DECIDING):
            return False
        self._tell(window, _not_judged("ANSWERED_BEFORE", answered.label), answered)
        self.cell.move(CellEvent.ASK, "answered before the link broke.")
        await self._answered(answered, Actor(answered.answered_by))
        return True

    # -- words -----------------------------------------------------------------------

    def _still(self, window: SensorWindow, state: CellState) -> bool:
        """Whether the cell is where it was before an await, in the same session."""
        return self.cell.state is state and self._is_of_this_session(
            window.session_epoch
        )

    def _decided(self, window: SensorWindow, judged: Judged) -> events.WindowDecided:
        return decided(window, judged, self.cell.family)

    def _question(
        self, window: SensorWindow, judged: Judged, kind: RequestKind
    ) -> OperatorRequest:
        audit = kind is RequestKind.AUDIT
        settings = self._settings
        return opened(
            window,
            judged,
            kind,
            family=self.cell.family,
            raised_at=self._clock.utc_now(),
            now_ns=self._clock.monotonic_ns(),
            time_allowed_ns=(
                settings.audit_allowed_ns if audit else settings.time_allowed_ns
            ),
            on_timeout=settings.on_timeout,
        )

    def _audit(self, window: SensorWindow, judged: Judged) -> OperatorRequest | None:
        """The audit request of a drawn window a model judged; it holds nothing."""
        if not judged.coin.drawn or judged.verdict.prediction is None:
            return None
        return self._question(window, judged, RequestKind.AUDIT)

    def _tell(
        self,
        window: SensorWindow,
        verdict: Verdict,
        request: OperatorRequest | None = None,
    ) -> None:
        if self._link is not None:
            request_id = None if request is None else request.request_id
            self._link.outcome(window, verdict, request_id)
            if request is not None and not request.clip_id:
                self._link.want_clip(request)


def _not_judged(code: str, text: str) -> Verdict:
    """What is told of a window that was not judged; it is a HOLD, never a permit."""
    return Verdict(Decision.HOLD, code, text)
