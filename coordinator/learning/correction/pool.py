"""The stored windows of one family, and which of them teaches most.

A window teaches much when the model doubts (the margin between its two best labels is
small, or it never saw the like) and when nothing like it is labelled (coreset: far from
every window that was taken). The product of both keeps near-duplicates of what people
have just labelled at the end of the queue. Everything is numbers kept beside the
windows: choosing among 10,000 takes about a millisecond.

Source:
    Sener & Savarese, Active Learning for Convolutional Neural Networks: A Core-Set
    Approach, ICLR 2018; margin: Scheffer, Decomain & Wrobel, IDA 2001.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.model.sketch import NUMBERS
from coordinator.terms import (
    CellId,
    Digest,
    Prediction,
    SensorWindow,
    WindowId,
    events,
)

NEAR_QUANTILE: Final = 0.02
"""Windows nearer than this share of all pairs are nearly the same."""
PAIRS_OF: Final = 400
"""Windows whose pairs tell what near is."""
AT_ONCE: Final = 256
"""Windows that others are compared with at once: a few megabytes of distances."""
LEAST_DOUBT: Final = 0.02
"""What the model is sure of has an order too: first what is unlike the labelled."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored window, without its samples.

    Attributes:
        seq: Journal entry that judged it: its place in time.
        window_id: The window.
        window_digest: Its evidence.
        cell_id: Where it came from.
        cycle: Cycle of its cell.
        part_id: Serial number of the part.
        model_digest: The model that had spoken; "" for none.
        guess: What it had said; "" for nothing.
        doubt: In [0, 1]: one minus the margin between its two best labels; 1 for a
            window that it never saw the like of, or without a model.
    """

    seq: int
    window_id: WindowId
    window_digest: Digest
    cell_id: CellId
    cycle: int
    part_id: str
    model_digest: Digest
    guess: str
    doubt: float

    @property
    def group(self) -> str:
        """Cycle and cell, as examples name it."""
        return f"{self.cell_id}/{self.cycle}"


def stored(seq: int, decided: events.WindowDecided, window: SensorWindow) -> Stored:
    """Describe a judged window by what the model said then."""
    said = decided.verdict.prediction
    return Stored(
        seq=seq,
        window_id=window.window_id,
        window_digest=window.digest,
        cell_id=window.cell_id,
        cycle=window.cycle,
        part_id=window.part_id,
        model_digest=Digest("") if said is None else said.model_digest,
        guess="" if said is None else said.label,
        doubt=doubt(said),
    )


def doubt(said: Prediction | None) -> float:
    """How little a prediction says, in [0, 1]; 1 without one."""
    if said is None or len(said.probabilities) < 2:
        return 1.0
    first, second = sorted(said.probabilities, reverse=True)[:2]
    margin = first - second
    # Written as proof: only a familiar window with a margin that is a number is sure.
    sure = said.novelty <= 1.0 and 0.0 <= margin <= 1.0
    return 1.0 - margin if sure else 1.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Windows that are to be compared with labelled ones; any thread may do it.

    Attributes:
        first: Place of the first of the windows.
        windows: Their sketches, float32, shape (windows, NUMBERS); never changed.
        labelled: Likewise, of the labelled ones.
    """

    first: int
    windows: NDArray[np.float32]
    labelled: NDArray[np.float32]

    def nearest(self) -> NDArray[np.float32]:
        """Return the distance of each window to the nearest: (windows,). Blocking."""
        near = np.full(len(self.windows), np.inf, np.float32)
        for start in range(0, len(self.labelled), AT_ONCE):
            apart = _apart(self.windows, self.labelled[start : start + AT_ONCE])
            np.minimum(near, apart.min(axis=1), out=near)
        return near


class Pool:
    """Every stored window that may be shown. Not thread-safe.

    Comparing many windows with many takes seconds. Who has a thread for it begins with
    began() or came(), and tells with compared() what came of it.
    """

    def __init__(self) -> None:
        self.windows: list[Stored] = []
        self.place: dict[WindowId, int] = {}
        self.radius = 1.0
        self._by_digest: dict[Digest, int] = {}
        self._room = 256
        self._sketch = np.zeros((self._room, NUMBERS), np.float32)
        self._doubt = np.zeros(self._room, np.float32)
        self._near = np.full(self._room, np.inf, np.float32)
        self._taken = np.zeros(self._room, np.bool_)

    def __len__(self) -> int:
        return len(self.windows)

    def add(self, fresh: Sequence[Stored], sketches: NDArray[np.float32]) -> None:
        """Take windows in; the same evidence a second time is passed over.

        Args:
            fresh: In the order of time.
            sketches: float32, shape (windows, NUMBERS).
        """
        self.compared(self.came(fresh, sketches))

    def came(
        self, fresh: Sequence[Stored], sketches: NDArray[np.float32]
    ) -> Comparison | None:
        """Take windows in, as add() does; return what there is to compare."""
        first = len(self.windows)
        for window, sketch in zip(fresh, sketches, strict=True):
            if window.window_digest in self._by_digest:
                continue
            i = len(self.windows)
            self._grow(i + 1)
            self.windows.append(window)
            self.place[window.window_id] = self._by_digest[window.window_digest] = i
            self._sketch[i] = sketch
            self._doubt[i] = max(window.doubt, LEAST_DOUBT)
        known = self._sketch[np.flatnonzero(self._taken[:first])]
        return self._comparison(first, known)

    def find(self, digest: Digest) -> int | None:
        """Return the place of a piece of evidence, None when it is not here."""
        return self._by_digest.get(digest)

    def take(self, *places: int) -> None:
        """Note that windows are labelled or handed out: what is like them can wait."""
        self.compared(self.began(*places))

    def began(self, *places: int) -> Comparison | None:
        """Note it, as take() does; return what there is to compare."""
        fresh = [i for i in places if not self._taken[i]]
        self._taken[fresh] = True
        return self._comparison(0, self._sketch[fresh])

    def compared(
        self, done: Comparison | None, near: NDArray[np.float32] | None = None
    ) -> None:
        """Note how near windows are to labelled ones.

        Args:
            done: What was compared; None for nothing.
            near: Its nearest(); None to find it now.
        """
        if done is None:
            return
        place = slice(done.first, done.first + len(done.windows))
        found = done.nearest() if near is None else near
        np.minimum(self._near[place], found, out=self._near[place])

    def _comparison(
        self, first: int, labelled: NDArray[np.float32]
    ) -> Comparison | None:
        windows = self._sketch[first : len(self.windows)]
        if not len(windows) or not len(labelled):
            return None
        return Comparison(first, windows, labelled)

    def most(self, may: NDArray[np.bool_]) -> int | None:
        """Return the place of the window that teaches most; None when none may.

        Args:
            may: Which may be shown, bool, shape (windows,).
        """
        if not may.any():
            return None
        near = self._near[: len(self.windows)]
        far = 1.0 - self.radius / (near + self.radius)  # (windows,), 1 without any
        worth = self._doubt[: len(self.windows)] * far
        return int(np.argmax(np.where(may, worth, -1.0)))

    def alike(self, i: int, may: NDArray[np.bool_], most: int) -> list[int]:
        """Return the places of windows nearly the same, the most alike first.

        Args:
            i: Place of the window they are compared with.
            may: Which windows may be returned, shape (windows,).
            most: How many at most.
        """
        sketch = self._sketch[: len(self.windows)]
        distances = _apart(sketch, self._sketch[i : i + 1])[:, 0]  # (windows,)
        near = may & (distances <= self.radius)
        near[i] = False
        places = np.flatnonzero(near)
        ranked = places[np.argsort(distances[places], kind="stable")]
        guess = self.windows[i].guess
        return [int(j) for j in ranked if self.windows[j].guess == guess][:most]

    def measure(self) -> None:
        """Learn what near is, from the pairs of some windows."""
        count = len(self.windows)
        if count < 2:
            return
        step = max(1, count // PAIRS_OF)
        some = self._sketch[:count:step]  # (N, D)
        upper = _apart(some, some)[np.triu_indices(len(some), 1)]
        self.radius = max(float(np.quantile(upper, NEAR_QUANTILE)), 1e-6)

    def _grow(self, count: int) -> None:
        if count <= self._room:
            return
        more = self._room
        self._room *= 2
        self._sketch = np.concatenate([self._sketch, np.zeros_like(self._sketch)])
        self._doubt = np.concatenate([self._doubt, np.zeros(more, np.float32)])
        self._near = np.concatenate([self._near, np.full(more, np.inf, np.float32)])
        self._taken = np.concatenate([self._taken, np.zeros(more, np.bool_)])


def _apart(
    some: NDArray[np.float32], others: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Distances of sketches: (A, D), (B, D) -> (A, B)."""
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None, :]
    found: NDArray[np.float32] = np.sqrt(
        np.maximum(squares - 2.0 * some @ others.T, 0.0)
    )
    return found
