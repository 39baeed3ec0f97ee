"""The gate, as a cell's path sees it: a rule for now, and somebody who takes notes."""

from __future__ import annotations

from typing import Protocol

from coordinator.live.gate.judge import Judge
from coordinator.terms import Judged, SensorWindow


class GateDesk(Protocol):
    """Gives the rule of the moment; never blocks."""

    def judge(self) -> Judge:
        """Return the rule for the window at hand."""

    def audit_share(self) -> float:
        """Return the probability with which that window is audited."""

    def judged(self, window: SensorWindow, judged: Judged) -> None:
        """Note a judged window; its decision is durable."""


class FixedDesk:
    """One rule and one audit rate, and no notes: for backtests and comparisons."""

    def __init__(self, rule: Judge, share: float) -> None:
        self._rule = rule
        self._share = share

    def judge(self) -> Judge:
        """See GateDesk."""
        return self._rule

    def audit_share(self) -> float:
        """See GateDesk."""
        return self._share

    def judged(self, window: SensorWindow, judged: Judged) -> None:
        """See GateDesk: nothing changes."""
