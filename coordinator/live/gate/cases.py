"""The cases of one body of evidence, in the order in which the coin fell; pure.

Three things are kept apart. Cases: windows that the coin fell on, with what people said
of them; they alone are evidence. The stream: windows that it passed over, of which only
the model's answer is used; it tells where thresholds may lie. And audits: cases that
were decided alone; they tell how often that was wrong.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.model.risk.certification import stream_windows
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.estimate import Audits, estimate
from coordinator.model.risk.evidence import Evidence, Stream
from coordinator.terms import AuditCoin, AutomatedError, DecisionId, Verdict, WindowId

MOST_STREAM: Final = 20_000
"""Stream windows that are kept: enough for a look at 80,000 cases."""
NEWEST: Final = 1000
"""Windows that may be told twice: those that came while the store was read."""
SILENT: Final = ""
"""What is known of a case that nobody answered: it counts as the dearest mistake."""


@dataclass(slots=True)
class Case:
    """One window that was to be, or could have been, decided alone.

    Attributes:
        decision_id: The verdict's identity.
        window_id: The window.
        said: The model's first guess.
        confidence: Its calibrated probability.
        probability: Chance with which the coin could fall.
        alone: It was decided alone.
        regime: Under which opening of the gate it was judged.
        place: Lot, shift and cell, for saying where errors lie.
        truth: What a person said; SILENT when nobody did; None while that is open.
    """

    decision_id: DecisionId
    window_id: WindowId
    said: str
    confidence: float
    probability: float
    alone: bool
    regime: int
    place: tuple[str, str, str]
    truth: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Noted:
    """What is noted of one judged window.

    Attributes:
        decision_id: The verdict's identity.
        window_id: The window.
        verdict: What the gate said.
        coin: The audit toss.
        place: Lot, shift and cell.
        signals: See signals.measure; None when the samples are not at hand.
    """

    decision_id: DecisionId
    window_id: WindowId
    verdict: Verdict
    coin: AuditCoin
    place: tuple[str, str, str]
    signals: NDArray[np.float64] | None = None


class CaseBook:
    """The cases of one model. Not thread-safe: it lives on the event loop."""

    def __init__(self, labels: Sequence[str], costs: Costs) -> None:
        """Begin without cases.

        Args:
            labels: The model's, in its order.
            costs: What mistakes cost.
        """
        self.labels = tuple(labels)
        self._column = {label: i for i, label in enumerate(self.labels)}
        self._costs = costs
        self._cases: list[Case] = []
        self._by_id: dict[DecisionId, Case] = {}
        self._newest: deque[DecisionId] = deque(maxlen=NEWEST)
        self._passed_over: list[tuple[int, float]] = []
        self._start = self._ready = 0
        self._alone: Counter[int] = Counter()
        self._least: dict[int, float] = {}

    def restart(self) -> None:
        """Begin the evidence anew; what was decided alone stays known."""
        self._start = self._ready = len(self._cases)
        self._passed_over.clear()

    @property
    def ready(self) -> int:
        """How many of the first cases are settled: what a look may use."""
        while self._ready < len(self._cases):
            if self._cases[self._ready].truth is None:
                break
            self._ready += 1
        return self._ready - self._start

    def add(self, case: Case, *, drawn: bool) -> None:
        """Note a judged window, once; only a drawn one becomes a case."""
        if case.decision_id in self._newest:
            return
        self._newest.append(case.decision_id)
        if case.alone:
            self._alone[case.regime] += 1
            least = self._least.get(case.regime, 1.0)
            self._least[case.regime] = min(least, case.probability)
        if drawn:
            self._cases.append(case)
            self._by_id[case.decision_id] = case
        elif len(self._passed_over) < MOST_STREAM:
            column = self._column[case.said]
            self._passed_over.append((column, case.confidence))

    def settle(self, decision_id: DecisionId, truth: str) -> Case | None:
        """Note what a person said, or SILENT; None when it is no case of this book."""
        case = self._by_id.get(decision_id)
        if case is not None:
            case.truth = truth
        return case

    def take_back(self, window_id: WindowId) -> None:
        """Forget what a person said of a window: as if nobody had answered."""
        for case in self._cases:
            if case.window_id == window_id and case.truth is not None:
                case.truth = SILENT

    def reopen(self, decision_id: DecisionId) -> None:
        """The question goes on, one level up: wait for the answer after all."""
        case = self._by_id.get(decision_id)
        if case is not None and case.truth == SILENT:
            case.truth = None
            place = self._cases.index(case)
            self._ready = max(self._start, min(self._ready, place))

    def evidence(self, count: int) -> Evidence:
        """The first settled cases; count is at most `ready`."""
        used = self._cases[self._start : self._start + count]
        truths = [case.truth or SILENT for case in used]
        pairs = [(case.said, t) for case, t in zip(used, truths, strict=True)]
        return Evidence(
            np.array([self._column[case.said] for case in used], np.int64),
            np.array([case.confidence for case in used], np.float64),
            np.array([self._costs.loss(*pair) for pair in pairs], np.float64),
            np.array([self._costs.missed(*pair) for pair in pairs], np.bool_),
        )

    def stream(self, count: int) -> Stream:
        """The windows passed over that a look at so many cases may use."""
        used = self._passed_over[: stream_windows(count)]
        return Stream(
            np.array([column for column, _ in used], np.int64),
            np.array([confidence for _, confidence in used], np.float64),
        )

    def audits(self, regime: int) -> list[Case]:
        """The answered cases that were decided alone under one opening of the gate."""
        return [c for c in self._cases if c.alone and c.regime == regime and c.truth]

    def error(self, regime: int, level: float) -> AutomatedError:
        """How often what was decided alone was wrong, under one opening of the gate.

        Args:
            regime: Which opening.
            level: Probability that the true share lies outside the interval.
        """
        audits = self.audits(regime)
        unknown = sum(
            c.alone and c.regime == regime and not c.truth for c in self._cases
        )
        found = estimate(
            Audits(
                np.array([case.said != case.truth for case in audits], np.float64),
                np.array([case.probability for case in audits], np.float64),
                decided=max(self._alone[regime] - unknown, len(audits)),
                least=self._least.get(regime, 1.0),
            ),
            level,
        )
        return AutomatedError(
            found.mean, found.low, found.high, found.audited, found.decided
        )
