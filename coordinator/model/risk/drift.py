"""Has the stream moved away from what was certified? Windows alone, no labels needed.

Each signal of a window (its confidence, its novelty, level and spread of each channel)
becomes a rank among the windows of the certification, from 0 to 1. While nothing moves,
the mean rank is one half. Small moves are the rule in a plant and harm nothing, so the
bettors do not bet against one half but against a quarter more: a signal must lie above
(or below, or outside) what most of the certification looked like before it counts. What
lies beyond all of it counts sooner: four windows in ten of that kind are too many.

A signal that is not there in a window says nothing: it is given the rank one half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from coordinator.model.risk.betting import Bettor, is_rich

LIMIT: Final = 0.75
"""Mean rank up to which a signal has not moved enough to count."""
BEYOND: Final = 0.4
"""Share of windows beyond everything usual up to which that does not count."""
RECENT: Final = 20
"""Windows over which it is told where a signal lies now."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What each signal looked like while the evidence was gathered.

    Attributes:
        values: Sorted along the windows, NaN last, shape (windows, signals).
        there: How many windows have each signal, shape (signals,).
    """

    values: NDArray[np.float64]
    there: NDArray[np.int64]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Self:
        """Remember windows, shape (windows, signals); NaN where a signal is absent."""
        known = np.where(np.isfinite(values), values, np.nan)
        return cls(np.sort(known, axis=0), np.isfinite(known).sum(axis=0))

    def ranks(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where a window lies, in [0, 1], shape (signals,); ties count half."""
        below = (self.values < values).sum(axis=0)
        same = (self.values == values).sum(axis=0)
        known = np.isfinite(values) & (self.there > 0)
        rank = (below + same / 2) / np.maximum(self.there, 1)
        return np.where(known, rank, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class DriftWatch:
    """Bettors on every signal: higher, lower, further out, beyond. A value.

    Attributes:
        reference: What they compare with.
        bettors: On ranks: higher, lower and further out, shape (3, signals).
        beyond: On values beyond everything usual, shape (signals,).
        recent: Newest ranks, shape (up to RECENT, signals).
    """

    reference: Reference
    bettors: Bettor
    beyond: Bettor
    recent: NDArray[np.float64]

    @classmethod
    def begin(cls, reference: Reference) -> Self:
        """Watch from here on."""
        signals = len(reference.there)
        return cls(
            reference=reference,
            bettors=Bettor.against(LIMIT, (3, signals)),
            beyond=Bettor.against(BEYOND, (signals,)),
            recent=np.empty((0, signals)),
        )

    def see(self, values: NDArray[np.float64]) -> DriftWatch:
        """Look at one window, shape (signals,)."""
        rank = self.reference.ranks(values)
        seen = np.stack([rank, 1.0 - rank, np.abs(2.0 * rank - 1.0)])
        recent = np.concatenate([self.recent, rank[None]])[-RECENT:]
        outside = (rank == 0.0) | (rank == 1.0)
        return DriftWatch(
            self.reference, self.bettors.see(seen), self.beyond.see(outside), recent
        )

    def alarmed(self, delta: float) -> bool:
        """Whether a signal has moved; falsely with probability delta at most."""
        capitals = (self.bettors.log_capital.ravel(), self.beyond.log_capital)
        return is_rich(np.concatenate(capitals), delta)

    def moved(self) -> list[tuple[int, float]]:
        """Signals that lie elsewhere now, the furthest first, with their mean rank."""
        if not len(self.recent):
            return []
        now = self.recent.mean(axis=0)
        away = np.abs(now - 0.5)
        order = np.argsort(-away, kind="stable")
        return [(int(i), float(now[i])) for i in order if away[i] > LIMIT - 0.5]
