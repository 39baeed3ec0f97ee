"""On what the gate of one family rests, and what changes that; a machine without I/O.

    ASK_ALL      --evidence-->  CERTIFIED     a look at the audited cases passes
    ASK_ALL      --name------>  PROVISIONAL   an engineer says so, until a time
    CERTIFIED    --alarm, drift, silence, age, rule, name-->  CLOSED
    PROVISIONAL  --alarm, silence, age, name-->               CLOSED
    CLOSED       --evidence-->  CERTIFIED
    CLOSED       --name------>  PROVISIONAL
    CERTIFIED    --swap------>  ASK_ALL       another model proves itself anew

Opening is durable first: due() proposes an event, keeper.py commits it, applied() lets
it be. Closing takes effect at once: gate() asks about everything from the very next
window on, and the event follows. Time, a restart or another model open nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, assert_never

import numpy as np
from numpy.typing import NDArray

from coordinator.live.gate import words
from coordinator.live.gate.alarm import Alarm, where
from coordinator.live.gate.cases import Case, CaseBook, Noted
from coordinator.live.gate.judge import ALONE, NOTHING_SERVES, Gate, is_case
from coordinator.live.gate.looks import Looks, certified, is_wanted
from coordinator.live.gate.moves import Moves
from coordinator.live.gate.plan import GatePlan, Mode
from coordinator.model.risk.spending import look_size
from coordinator.terms import (
    NO_DIGEST,
    AutomatedError,
    Certificate,
    Closing,
    DecisionId,
    Digest,
    Family,
    FamilyId,
    GateRow,
    GateState,
    Permission,
    WindowId,
    events,
)

GateEvent = (
    events.GateCertified
    | events.ProvisionalGranted
    | events.GateClosed
    | events.EvidenceRestarted
)
OPEN: Final = frozenset({GateState.CERTIFIED, GateState.PROVISIONAL})
UNDISPROVED: Final = frozenset({Closing.DRIFT, Closing.SILENCE, Closing.EXPIRED})
"""Closings that say nothing against the model where it was certified."""
UNKNOWN: Final = AutomatedError(None, 0.0, 1.0, 0, 0)
EARLIER: Final = -1
"""Regime of what was decided under an opening that is over."""


class Standing:
    """The machine of one family. Not thread-safe: it lives on the event loop."""

    def __init__(
        self, family: FamilyId, plan: GatePlan, signals: tuple[str, ...] = ()
    ) -> None:
        """Begin with nothing: no model, no evidence, no permission.

        Args:
            family: Whose gate.
            plan: What is promised.
            signals: What the watched signals are called, see signals.names.
        """
        self._family = family
        self._plan = plan
        self._signals = signals
        self._model = NO_DIGEST
        self._certificate: Certificate | None = None
        self._permission: Permission | None = None
        self._closed_text = ""
        self._closing: events.GateClosed | None = None
        self._renewing = False
        self._regime = 0
        self._looks: Looks | None = None
        self._in_sight: int | None = self.least
        self._alarm = self._new_alarm()
        self._moves = Moves()

    # -- what is asked ---------------------------------------------------------------

    @property
    def certificate(self) -> Certificate | None:
        """The certificate on record, about the serving model; it may have expired."""
        return self._certificate

    @property
    def permission(self) -> Permission | None:
        """The permission on record; it may have expired."""
        return self._permission

    @property
    def model_digest(self) -> Digest:
        """The model the evidence is about; "" for none."""
        return self._model

    @property
    def audited(self) -> int:
        """Settled cases of the evidence that gathers now."""
        return 0 if self._looks is None else self._looks.book.ready

    @property
    def needed(self) -> int | None:
        """Cases at which a certificate is to be expected; None when none is."""
        return self._in_sight

    @property
    def least(self) -> int:
        """Cases without which no model is certified, at best."""
        promise, costs = self._plan.promise, self._plan.costs
        return look_size(1, promise.limit(costs.dearest), promise.delta)

    def state(self, now: datetime) -> GateState:
        """On what the gate rests at a moment, UTC."""
        if self._plan.mode is Mode.ASK_ALL or not self._model:
            return GateState.ASK_ALL
        if self._closing is not None:
            return GateState.CLOSED
        opened = self._opened()
        if opened is None:
            return GateState.CLOSED if self._closed_text else GateState.ASK_ALL
        # Written as proof: only a moment before the end keeps it open.
        if not now < opened.until:
            return GateState.CLOSED
        return GateState.CERTIFIED if self._certificate else GateState.PROVISIONAL

    def gate(self, now: datetime) -> Gate:
        """The rule for the next window, as a value."""
        novelty = self._plan.novelty_limit
        state = self.state(now)
        if state is GateState.CERTIFIED and self._certificate is not None:
            return Gate(
                1.0,
                novelty,
                certified=self._certificate.thresholds,
                model_digest=self._certificate.model_digest,
            )
        if state is GateState.PROVISIONAL and self._permission is not None:
            return Gate(self._permission.threshold, novelty)
        return Gate(1.0, novelty, ask_all=True, asks_because=self.text(now))

    def text(self, now: datetime) -> str:
        """One sentence about the gate."""
        if self._plan.mode is Mode.ASK_ALL:
            return "set to ask: a person answers everything."
        if not self._model:
            return NOTHING_SERVES
        facts = (self.audited, self.needed)
        match self.state(now):
            case GateState.CERTIFIED if self._certificate is not None:
                return words.certified(self._certificate)
            case GateState.PROVISIONAL if self._permission is not None:
                return words.provisional(self._permission, *facts)
            case GateState.CLOSED:
                missing = words.evidence(*facts)
                if self._plan.mode is not Mode.CERTIFIED:
                    missing = ""
                return words.closed(self._why_closed(), missing)
            case _:
                return words.not_yet(*facts)

    def error(self) -> AutomatedError:
        """How often it was wrong, what was decided alone since the gate opened."""
        if self._looks is None:
            return UNKNOWN
        return self._looks.book.error(self._regime, self._plan.promise.delta)

    # -- what happens ----------------------------------------------------------------

    def serve(self, model: Digest) -> None:
        """Another model serves, or none: what was proven of the one before is void."""
        if model == self._model:
            return
        self._model = model
        if self._certificate is not None and self._certificate.model_digest != model:
            self._certificate = None
        self._looks, self._in_sight = None, self.least
        self._renewing = False
        self._moves.rest(forget=True)
        self._begin_regime()

    def remember(self, row: GateRow) -> None:
        """Take over what the store says, after serve() and before any case."""
        self._permission = row.permission
        self._closed_text = row.closed_text
        if row.certificate is not None:
            self._take(row.certificate)
            if self._certificate is None and self._plan.mode is Mode.CERTIFIED:
                text = "what is promised, or what mistakes cost, was configured anew."
                self.close(events.GateClosed(self._family, Closing.RULE, text))
        self._renewing = (
            self._certificate is not None and row.evidence_seq > row.opened_seq
        )
        self._begin_regime()

    def judged(
        self, noted: Noted, family: Family, now: datetime, *, earlier: bool = False
    ) -> None:
        """Note one judged window, once its decision is durable.

        Args:
            noted: The window.
            family: Its labels and channels.
            now: UTC.
            earlier: It was judged before the gate was opened as it is now.
        """
        prediction = noted.verdict.prediction
        if prediction is None or prediction.model_digest != self._model:
            return
        if not is_case(noted.verdict, family):
            return
        looks = self._looks or self._begin_looks(
            CaseBook(prediction.labels, self._plan.costs)
        )
        case = Case(
            decision_id=noted.decision_id,
            window_id=noted.window_id,
            said=prediction.label,
            confidence=prediction.confidence,
            probability=noted.coin.probability,
            alone=noted.verdict.code in ALONE,
            regime=EARLIER if earlier else self._regime,
            place=noted.place,
        )
        looks.book.add(case, drawn=noted.coin.drawn)
        if noted.signals is not None:
            self._watch(noted.signals, now, earlier=earlier)

    def settle(self, decision_id: DecisionId, truth: str, now: datetime) -> None:
        """Note what a person said of a case, or SILENT when nobody did."""
        looks = self._looks
        case = None if looks is None else looks.book.settle(decision_id, truth)
        if looks is None or case is None:
            return
        if case.alone and case.regime == self._regime and self.state(now) in OPEN:
            self._alarm.see(case)
            self._check_alarm(looks.book)
        if self._plan.mode is Mode.CERTIFIED:
            looks.take()
        self._in_sight = looks.in_sight()

    def reopen(self, decision_id: DecisionId) -> None:
        """The question about a case goes on, one level up."""
        if self._looks is not None:
            self._looks.book.reopen(decision_id)

    def take_back(self, window_id: WindowId) -> None:
        """A label was taken back: its case counts as never answered."""
        if self._looks is not None:
            self._looks.book.take_back(window_id)

    def close(self, closing: events.GateClosed) -> None:
        """Ask about everything from now on, and gather the evidence anew."""
        self._closing = self._closing or closing

    # -- what is to be recorded ------------------------------------------------------

    def due(self, now: datetime) -> tuple[GateEvent, ...]:
        """Return what ought to become durable next; () when nothing ought to."""
        if self._closing is not None:
            return self._closing, self._restarted(self._closing.text)
        if self._plan.mode is Mode.ASK_ALL or not self._model:
            return ()
        found = None if self._looks is None else self._looks.widest
        if found is not None and is_wanted(
            found, self._certificate, now, renewing=self._renewing
        ):
            certificate = certified(found, self._plan, self._family, self._model, now)
            return (events.GateCertified(certificate),)
        opened = self._opened()
        if opened is not None and not now < opened.until:
            return self._ended(opened)
        if self._certificate is not None and not self._renewing:
            half = self._certificate.issued_at + self._plan.life / 2
            if not now < half:
                text = "half of the certificate's life has passed."
                return (self._restarted(text),)
        return ()

    def applied(self, event: GateEvent) -> None:
        """Let a durable event be."""
        match event:
            case events.GateCertified():
                self._take(event.certificate)
            case events.ProvisionalGranted():
                self._permission = Permission(
                    event.actor.person, event.threshold, event.until
                )
                self._closed_text = ""
                if self._certificate is None:
                    self._begin_regime()
            case events.GateClosed():
                self._certificate = self._permission = None
                self._closed_text = event.text
                self._closing = None
                self._moves.rest(forget=event.why not in UNDISPROVED)
                self._begin_regime()
            case events.EvidenceRestarted():
                self._renewing = self._certificate is not None
                if self._renewing:
                    self._moves.begin_anew()
                if self._looks is not None:
                    self._looks.book.restart()
                    self._begin_looks(self._looks.book)
            case _:
                assert_never(event)

    # -- inside ----------------------------------------------------------------------

    def _opened(self) -> Certificate | Permission | None:
        return self._certificate or self._permission

    def _take(self, certificate: Certificate) -> None:
        """Let a certificate be in force, if it is about this model and this promise."""
        if (
            self._plan.mode is Mode.CERTIFIED
            and certificate.model_digest == self._model
            and certificate.rule_digest == self._plan.digest
        ):
            self._certificate = certificate
            self._renewing = False
            self._moves.renewed()
            self._closed_text = ""
            self._begin_regime()

    def _begin_regime(self) -> None:
        self._regime += 1
        self._alarm = self._new_alarm()

    def _new_alarm(self) -> Alarm:
        groups = self._certificate.groups if self._certificate else ()
        return Alarm(
            self._plan.promise, self._plan.costs, [group.labels for group in groups]
        )

    def _begin_looks(self, book: CaseBook) -> Looks:
        self._looks = Looks(self._plan.promise, self._plan.costs, book)
        self._in_sight = self._looks.in_sight()
        return self._looks

    def _watch(
        self, signals: NDArray[np.float64], now: datetime, *, earlier: bool
    ) -> None:
        state, delta = self.state(now), self._plan.promise.delta
        self._moves.see(signals, watching=state in OPEN and not earlier)
        if state is GateState.CERTIFIED and self._moves.alarmed(delta):
            moved = tuple(self._moves.told(self._signals))
            what = moved[0] if moved else "several signals moved"
            text = f"the windows are not those that were certified: {what}."
            self.close(events.GateClosed(self._family, Closing.DRIFT, text, moved))

    def _check_alarm(self, book: CaseBook) -> None:
        promise = self._plan.promise
        if self._alarm.rings(promise.delta):
            text = words.alarm(self.error(), promise.alpha)
            places = where(book.audits(self._regime))
            moved = (*places, *self._moves.told(self._signals))
            self.close(events.GateClosed(self._family, Closing.ALARM, text, moved))
        elif self._alarm.unheard():
            text = "audits go unanswered, so nobody measures what is decided alone."
            self.close(events.GateClosed(self._family, Closing.SILENCE, text))

    def _why_closed(self) -> str:
        if self._closing is not None:
            return self._closing.text
        opened = self._opened()
        return self._closed_text if opened is None else words.ended(opened)

    def _ended(self, opened: Certificate | Permission) -> tuple[GateEvent, ...]:
        """What is recorded of an end by age; evidence that was renewed goes on."""
        closed = events.GateClosed(self._family, Closing.EXPIRED, words.ended(opened))
        if self._renewing or opened is self._permission:
            return (closed,)
        return closed, self._restarted(closed.text)

    def _restarted(self, text: str) -> events.EvidenceRestarted:
        return events.EvidenceRestarted(self._family, text)
