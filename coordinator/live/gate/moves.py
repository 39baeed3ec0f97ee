"""Whether the stream of windows is still the one that was certified, and what moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from coordinator.live.gate import words
from coordinator.model.risk.drift import STRETCH, DriftWatch, Moved, Reference

MOST: Final = 64
"""Stretches of windows that are remembered; of more, every second is forgotten."""
LEAST: Final = 100
"""Windows without which nothing is said about moves."""
SHOWN: Final = 3
Item = TypeVar("Item")


class Usual:
    """What windows looked like, over any time: whole stretches, evenly apart."""

    def __init__(self) -> None:
        self._stretches: list[NDArray[np.float64]] = []
        self._newest: list[NDArray[np.float64]] = []
        self._apart = 1
        self._ended = 0

    def __len__(self) -> int:
        """Windows that are remembered."""
        return len(self._stretches) * STRETCH + len(self._newest)

    def add(self, signals: NDArray[np.float64]) -> None:
        """Remember one window, shape (signals,)."""
        self._newest.append(signals)
        if len(self._newest) < STRETCH:
            return
        if self._ended % self._apart == 0:
            self._stretches.append(np.stack(self._newest))
        self._ended += 1
        self._newest = []
        self._thin()

    def take_over(self, later: Usual) -> None:
        """Remember also what another remembers, as far as its stretches are whole."""
        self._stretches += later._stretches
        self._thin()

    def windows(self) -> NDArray[np.float64]:
        """All that is remembered, stretch after stretch, shape (windows, signals)."""
        newest = [np.stack(self._newest)] if self._newest else []
        return np.concatenate([*self._stretches, *newest])

    def _thin(self) -> None:
        while len(self._stretches) > MOST:
            self._stretches = self._stretches[::2]
            self._apart *= 2


class Moves:
    """Remembers what is usual while the gate is shut, and watches while it is open."""

    def __init__(self) -> None:
        self._usual = Usual()
        self._since: Usual | None = None
        self._watch: DriftWatch | None = None

    def see(self, signals: NDArray[np.float64], *, watching: bool) -> None:
        """Look at one window, see signals.measure.

        Args:
            signals: What is watched of it.
            watching: The gate is open: compare, and do not get used to it.
        """
        if watching and self._watch is None and len(self._usual) >= LEAST:
            self._watch = DriftWatch.begin(Reference.of(self._usual.windows()))
        if self._watch is None:
            self._usual.add(signals)
            return
        self._watch = self._watch.see(signals)
        if self._since is not None:
            self._since.add(signals)

    def rest(self, *, forget: bool) -> None:
        """The gate was shut: learn again what is usual.

        Args:
            forget: What was usual proves nothing any more: another model serves, or
                this one erred. A model that erred nowhere may meet again what it was
                certified on.
        """
        self._watch = self._since = None
        if forget:
            self._usual = Usual()

    def begin_anew(self) -> None:
        """Evidence begins anew under an open gate: its windows may become usual."""
        self._since = Usual()

    def renewed(self) -> None:
        """The new evidence has proven itself: what it was about is usual now."""
        if self._since is not None:
            self._usual.take_over(self._since)
            self._watch = self._since = None

    def alarmed(self, delta: float) -> bool:
        """Whether a signal has moved far; falsely with probability delta at most."""
        return self._watch is not None and self._watch.alarmed(delta)

    def told(self, names: tuple[str, ...]) -> list[str]:
        """Sentences about the signals that moved, the best proven first.

        Args:
            names: What the signals are called.
        """
        if self._watch is None:
            return []
        return [sentence(names[it.signal], it) for it in self._watch.moved()[:SHOWN]]


def sentence(name: str, moved: Moved) -> str:
    """Where a signal lies now, in words."""
    if moved.apart:
        return f"{name} lies further from the middle than usual, to both sides"
    side = "below" if moved.rank < 0.5 else "above"
    share = words.share(round(max(moved.rank, 1.0 - moved.rank), 2))
    return f"{name} lies {side} {share} of what is usual"


def spread(items: Sequence[Item], most: int) -> Sequence[Item]:
    """Return at most so many whole stretches of what is longer, evenly apart."""
    whole = len(items) // STRETCH
    if whole <= most:
        return items
    first = np.linspace(0, whole - 1, most).round().astype(int) * STRETCH
    return [item for at in first for item in items[at : at + STRETCH]]
