"""Whether the stream of windows is still the one that was certified, and what moved."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.model.risk.drift import DriftWatch, Reference

REFERENCE: Final = 300
"""Windows that are remembered as usual: the newest before the gate opened."""
LEAST: Final = 100
"""Windows without which nothing is said about moves."""
SHOWN: Final = 3


class Moves:
    """Remembers what is usual while the gate is shut, and watches while it is open."""

    def __init__(self) -> None:
        self._usual: deque[NDArray[np.float64]] = deque(maxlen=REFERENCE)
        self._watch: DriftWatch | None = None

    def see(self, signals: NDArray[np.float64], *, watching: bool) -> None:
        """Look at one window, see signals.measure.

        Args:
            signals: What is watched of it.
            watching: The gate is open: compare, and do not get used to it.
        """
        if watching and self._watch is None and len(self._usual) >= LEAST:
            self._watch = DriftWatch.begin(Reference.of(np.stack(self._usual)))
        if self._watch is not None:
            self._watch = self._watch.see(signals)
        else:
            self._usual.append(signals)

    def rest(self) -> None:
        """The gate was shut: begin to learn again what is usual."""
        self._usual.clear()
        self._watch = None

    def alarmed(self, delta: float) -> bool:
        """Whether a signal has moved far; falsely with probability delta at most."""
        return self._watch is not None and self._watch.alarmed(delta)

    def told(self, names: tuple[str, ...]) -> list[str]:
        """Sentences about the signals that moved furthest.

        Args:
            names: What the signals are called.
        """
        if self._watch is None:
            return []
        return [
            f"{names[place]} lies above {rank:.0%} of what is usual"
            for place, rank in self._watch.moved()[:SHOWN]
        ]
