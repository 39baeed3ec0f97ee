"""A gate's machine with a scripted model and people; what is due is applied at once."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from coordinator.live.gate.audit import audit_share
from coordinator.live.gate.cases import SILENT, Noted
from coordinator.live.gate.judge import ALONE
from coordinator.live.gate.plan import GatePlan
from coordinator.live.gate.standing import GateEvent, Standing
from coordinator.model.risk.spending import Promise
from coordinator.terms import (
    Actor,
    AuditCoin,
    Certificate,
    DecisionId,
    Digest,
    GateState,
    PersonId,
    Verdict,
    WindowId,
    events,
)
from tests.builders import FAMILY, MODEL, NOON, PEG, make_prediction

OTHER_MODEL = Digest("0f" * 32)
PLAN = GatePlan(promise=Promise(0.05, 0.05, 0.05))
ENGINEER = Actor(PersonId("eva"), "desk-1")


class StandingWorld:
    """One standing, fed window by window."""

    def __init__(
        self,
        plan: GatePlan = PLAN,
        *,
        carried: bool = True,
        machine: type[Standing] = Standing,
    ) -> None:
        self.plan = plan
        self.standing = machine(PEG, plan, tuple("abcdef"))
        self.now: datetime = NOON
        self.carried = carried
        self.model = MODEL
        self.happened: list[GateEvent] = []
        self.alone: list[bool] = []
        self.rng = np.random.default_rng(7)
        self._numbers = itertools.count(1)
        self.standing.serve(MODEL)

    def state(self) -> GateState:
        return self.standing.state(self.now)

    def certificate(self) -> Certificate:
        assert self.standing.certificate is not None
        return self.standing.certificate

    def carry(self) -> None:
        """Let what is due become durable."""
        while due := self.standing.due(self.now):
            for event in due:
                self.happened.append(event)
                self.standing.applied(event)

    def window(
        self,
        *,
        said: str = "ok",
        confidence: float = 0.97,
        truth: str | None = None,
        drawn: bool | None = None,
        answered: bool = True,
        signals: np.ndarray | None = None,
        place: tuple[str, str, str] = ("L1", "early", "press-1"),
    ) -> Verdict:
        """Judge one window; a drawn or asked one is answered with the truth."""
        share = audit_share(self.state(), self.plan.audits, 600.0)
        fell = bool(self.rng.random() < share) if drawn is None else drawn
        prediction = replace(make_prediction(said, confidence), model_digest=self.model)
        verdict = self.standing.gate(self.now)(prediction, [], FAMILY)
        number = next(self._numbers)
        noted = Noted(
            decision_id=DecisionId(f"d-{number}"),
            window_id=WindowId(f"w-{number}"),
            verdict=verdict,
            coin=AuditCoin(share, fell),
            place=place,
            signals=signals,
        )
        self.standing.judged(noted, FAMILY, self.now)
        self.alone.append(verdict.code in ALONE)
        if self.carried:
            self.carry()
        if answered and fell:
            self.settle(number, said if truth is None else truth)
        return verdict

    def settle(self, number: int, truth: str = SILENT) -> None:
        self.standing.settle(DecisionId(f"d-{number}"), truth, self.now)
        if self.carried:
            self.carry()

    def run(self, count: int, *, wrong: float = 0.0, **facts: object) -> None:
        """Many windows; a share of them is truly misaligned."""
        for _ in range(count):
            truth = "misaligned" if self.rng.random() < wrong else None
            self.window(truth=truth, **facts)  # type: ignore[arg-type]

    def grant(self, hours: float = 8.0, threshold: float = 0.9) -> None:
        granted = events.ProvisionalGranted(
            PEG, ENGINEER, threshold, self.now + timedelta(hours=hours)
        )
        self.happened.append(granted)
        self.standing.applied(granted)

    def pass_time(self, **of: float) -> None:
        self.now += timedelta(**of)
        if self.carried:
            self.carry()

    def certify(self) -> None:
        self.run(260)
        assert self.state() is GateState.CERTIFIED

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.happened]

    def closed(self) -> events.GateClosed:
        return next(e for e in self.happened[::-1] if isinstance(e, events.GateClosed))
