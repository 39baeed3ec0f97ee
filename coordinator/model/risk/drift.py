"""Has the stream moved away from what was certified? Windows alone, no labels needed.

Each signal of a window (its confidence, its novelty, level and spread of each channel)
becomes a rank among the windows of the certification, from 0 to 1. While nothing moves,
the mean rank is one half. Small moves are the rule in a plant and harm nothing, so the
bettors do not bet against one half but against a quarter more: a signal must lie above
(or below, or outside) what most of the certification looked like before it counts.

Some signals wander: a sensor that warms up lies high for an hour and low for the next.
How far, the certification itself tells: the furthest that the mean of any stretch of
its windows lay is no news, and that signal is bet against only beyond it. What lies
beyond everything usual counts however a signal wanders: four windows in ten are too
many.

A signal that is not there in a window says nothing: it is given the rank one half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from coordinator.model.risk.betting import Bettor, is_rich

LIMIT: Final = 0.75
"""Mean rank up to which a signal has not moved enough to count, if it never wanders."""
BEYOND: Final = 0.4
"""Share of windows beyond everything usual up to which that does not count."""
STRETCH: Final = 64
"""Windows whose mean tells how far a signal wanders: fewer than an alarm usually needs,
so what wanders faster is allowed for and what stays away is not."""
FINEST: Final = 512
"""Ranks are told apart no finer than this, however many windows are usual."""
SIDES: Final = ("high", "low", "far out")
"""What is bet on, of each signal."""
RECENT: Final = 20
"""Windows over which it is told where a signal lies now."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a signal lies now that has left what is usual.

    Attributes:
        signal: Its place.
        rank: Mean rank lately, in [0, 1].
        apart: It lies far out to both sides, rather than high or low.
    """

    signal: int
    rank: float
    apart: bool


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What each signal looked like while the evidence was gathered.

    Attributes:
        values: Quantiles, ascending along the first axis, NaN last, the extremes among
            them, shape (up to FINEST, signals).
        there: How many of them each signal has, shape (signals,).
        limits: Mean up to which a signal lies as high, as low, as far out as in some
            stretch of the evidence, at least LIMIT, shape (3, signals).
    """

    values: NDArray[np.float64]
    there: NDArray[np.int64]
    limits: NDArray[np.float64]

    @classmethod
    def of(cls, windows: NDArray[np.float64]) -> Self:
        """Remember windows.

        Args:
            windows: In the order of their times, or stretch after stretch of STRETCH
                windows each, NaN where a signal is absent, shape (windows, signals).
        """
        known = np.where(np.isfinite(windows), windows, np.nan)
        there = np.isfinite(known).sum(axis=0)
        values = np.sort(known, axis=0)
        if len(values) > FINEST:
            share = np.linspace(0.0, 1.0, FINEST)[:, None]
            place = np.rint(share * np.maximum(there - 1, 0)).astype(np.int64)
            values = np.take_along_axis(values, place, axis=0)
            there = np.where(there > 0, FINEST, 0)
        floor = np.full((3, windows.shape[1]), LIMIT)
        values = np.asfortranarray(values)
        reference = cls(values, there, floor)
        whole = len(windows) // STRETCH
        if not whole:
            return reference
        ranks = reference.ranks(known[: whole * STRETCH])
        stretches = sides(ranks).reshape(3, whole, STRETCH, -1).mean(axis=2)
        return cls(values, there, np.maximum(floor, stretches.max(axis=1)))

    def ranks(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where windows lie, in [0, 1], shape (..., signals); ties count half."""
        ranks = np.full(values.shape, 0.5)
        for signal in np.flatnonzero(self.there):
            usual = self.values[: self.there[signal], signal]
            here = values[..., signal]
            below = np.searchsorted(usual, here, "left")
            up_to = np.searchsorted(usual, here, "right")
            ranks[..., signal] = (below + up_to) / 2 / len(usual)
        ranks[~np.isfinite(values)] = 0.5
        return ranks


def sides(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """How high, how low and how far out ranks lie, in [0, 1], shape (3, *ranks)."""
    return np.stack([ranks, 1.0 - ranks, np.abs(2.0 * ranks - 1.0)])


@dataclass(frozen=True, slots=True, eq=False)
class DriftWatch:
    """Bettors on every signal: higher, lower, further out, beyond. A value.

    Attributes:
        reference: What they compare with.
        bettors: On higher, lower and further out, shape (3, signals).
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
        recent = np.concatenate([self.recent, rank[None]])[-RECENT:]
        return DriftWatch(
            self.reference,
            # A mean is at most its limit exactly when, so scaled, it is at most LIMIT.
            self.bettors.see(sides(rank) * (LIMIT / self.reference.limits)),
            self.beyond.see(is_beyond(rank)),
            recent,
        )

    def alarmed(self, delta: float) -> bool:
        """Whether a signal has moved; falsely with probability delta at most."""
        capitals = (self.bettors.log_capital.ravel(), self.beyond.log_capital)
        return is_rich(np.concatenate(capitals), delta)

    def moved(self) -> list[Moved]:
        """Signals that lie elsewhere now, the best proven first."""
        if not len(self.recent):
            return []
        lately = sides(self.recent).mean(axis=1)  # (3, signals)
        outside = is_beyond(self.recent).mean(axis=0)
        away = (lately > self.reference.limits).any(axis=0) | (outside > BEYOND)
        side = lately.argmax(axis=0)
        proven = np.maximum(
            self.bettors.log_capital.max(axis=0), self.beyond.log_capital
        )
        order = np.argsort(-proven, kind="stable")
        return [
            Moved(int(i), float(lately[0, i]), bool(side[i] == len(SIDES) - 1))
            for i in order
            if away[i]
        ]


def is_beyond(ranks: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether ranks lie beyond everything usual, shape (...)."""
    beyond: NDArray[np.bool_] = (ranks == 0.0) | (ranks == 1.0)
    return beyond
