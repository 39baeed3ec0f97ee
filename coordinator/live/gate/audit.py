"""The audit coin: which windows a person also sees, tossed before the gate looks.

Labels only from unclear cases bias everything that is learned or measured from them
(gate.md, fact 4). The coin falls by the window's digest and a seed, so that anybody can
toss it again, and nothing about the window's difficulty can move it. How likely it
falls may change with time and with what the gate rests on, never with the window.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass
from typing import Final

from coordinator.clock import SECOND_NS
from coordinator.terms import AuditCoin, GateState, SensorWindow

HOUR_NS: Final = 3600 * SECOND_NS
SOONEST_NS: Final = 60 * SECOND_NS
"""A pace is not told from less than this, ns."""
PACE_WINDOWS: Final = 10_000
"""Windows an hour above which the pace is taken from a shorter time."""
LEAST_SHARE: Final = 0.002
"""No budget is so small that nothing is measured any more."""


def toss(window: SensorWindow, share: float, seed: str) -> AuditCoin:
    """Toss for one window.

    Args:
        window: Only its cell, cycle and digest count.
        share: Probability of an audit, in [0, 1].
        seed: Kept secret enough: the store's identity.
    """
    text = f"audit/1 {seed} {window.cell_id} {window.cycle} {window.digest}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return AuditCoin(probability=share, drawn=number < share * 2**64)


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """How often to audit.

    Attributes:
        asked_share: While everything is asked, and an audit costs nobody anything;
        below
            1, because what the coin passes over tells where the thresholds may lie.
        provisional_share: While the gate acts on an engineer's word.
        per_hour: Audits an hour that people have time for, once a risk is certified.
    """

    asked_share: float = 0.8
    provisional_share: float = 0.05
    per_hour: float = 6.0


def audit_share(state: GateState, plan: AuditPlan, windows_per_hour: float) -> float:
    """Probability with which the next window is audited, whatever it will be.

    Args:
        state: On what the gate rests.
        plan: How often to audit.
        windows_per_hour: The pace of the family; 0 while it is not known.
    """
    if state in (GateState.ASK_ALL, GateState.CLOSED):
        return plan.asked_share
    # Written as proof: a pace that is not known, or no number, sets no rate.
    if state is GateState.PROVISIONAL or not windows_per_hour > 0.0:
        return plan.provisional_share
    wanted = plan.per_hour / windows_per_hour
    return min(plan.asked_share, max(LEAST_SHARE, wanted))


class Pace:
    """Windows an hour, from those of the last hour. Time is handed in, monotonic."""

    def __init__(self) -> None:
        self._seen: deque[int] = deque(maxlen=PACE_WINDOWS)

    def note(self, now_ns: int) -> None:
        """A window was judged."""
        self._seen.append(now_ns)

    def per_hour(self, now_ns: int) -> float:
        """Return the pace; 0 while it is not known."""
        while self._seen and now_ns - self._seen[0] > HOUR_NS:
            self._seen.popleft()
        if not self._seen or now_ns - self._seen[0] < SOONEST_NS:
            return 0.0
        return len(self._seen) * HOUR_NS / (now_ns - self._seen[0])
