"""How punctual messages were played: counted in steps of 10 us, shown as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

_STEP_NS: Final = 10_000
_STEPS: Final = 100_000
"""Up to one second; what is later counts as one second."""
_EDGES_MS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0)
_WIDTH: Final = 40


class Timing:
    """Differences between the planned and the actual moment of messages."""

    def __init__(self) -> None:
        self._counts = np.zeros(_STEPS + 1, dtype=np.int64)  # (steps,)
        self.worst_ns = 0

    def add(self, difference_ns: int) -> None:
        """Count one message."""
        late_ns = abs(difference_ns)
        self._counts[min(late_ns // _STEP_NS, _STEPS)] += 1
        self.worst_ns = max(self.worst_ns, late_ns)

    @property
    def count(self) -> int:
        """Messages counted."""
        return int(self._counts.sum())

    def quantile_ms(self, share: float) -> float:
        """The difference that this share of the messages does not exceed, ms.

        Args:
            share: In (0, 1].

        Returns:
            Upper edge of the 10 us step, at most the worst; NaN without messages.
        """
        if not self.count:
            return float("nan")
        step = int(np.searchsorted(np.cumsum(self._counts), share * self.count))
        return min((step + 1) * _STEP_NS, max(self.worst_ns, 1)) / 1e6

    def picture(self) -> Iterator[str]:
        """One line a range of differences, with a bar."""
        if not self.count:
            return
        begin = 0.0
        for edge in (*_EDGES_MS, float("inf")):
            share = self._share(begin, edge)
            title = f"{begin:g} to {edge:g} ms" if edge < 1e9 else f"over {begin:g} ms"
            if share:
                bar = "#" * max(1, round(share * _WIDTH))
                yield f"  {title:>14}  {bar:<{_WIDTH}} {share:7.2%}"
            begin = edge

    def _share(self, begin_ms: float, end_ms: float) -> float:
        first = round(begin_ms * 1e6 / _STEP_NS)
        last = _STEPS + 1 if end_ms > 1e9 else round(end_ms * 1e6 / _STEP_NS)
        return float(self._counts[first:last].sum()) / self.count
