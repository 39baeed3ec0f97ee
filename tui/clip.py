"""A full-rate recording as it is looked at: traces over time, marks, the window.

Times are seconds from the end of the window, the moment that was unclear: before it
they are negative.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEAST_S: Final = 0.02
"""Shortest stretch that is shown: 10 samples at 500 Hz."""
GAP_PERIODS: Final = 4.0
"""A longer pause between two samples than so many usual ones is a gap."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipTrace:
    """One value of one topic, sample by sample.

    Attributes:
        name: The channel's, or topic and field of a value that is no channel.
        unit: SI unit; "" when not known.
        times_s: Rising, shape (samples,).
        values: NaN where the value was absent, shape (samples,).
        channel: It is a channel of the cell: what the model sees.
        gap_s: A longer time between two samples is a gap.
    """

    name: str
    unit: str
    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    channel: bool = False
    gap_s: float = field(default=0.0)

    def between(self, first_s: float, last_s: float) -> NDArray[np.float64]:
        """The finite values of a stretch."""
        begin, end = np.searchsorted(self.times_s, (first_s, last_s))
        part = self.values[begin : end + 1]
        return np.asarray(part[np.isfinite(part)])

    def envelopes(
        self, first_s: float, last_s: float, columns: int
    ) -> list[tuple[float, float] | None]:
        """Least and greatest value in each of so many columns of a stretch.

        Between two samples the line goes straight; a gap stays empty, for a gap must
        not look like a measurement.
        """
        edges = np.linspace(first_s, last_s, columns + 1)
        places = np.searchsorted(self.times_s, edges)  # (columns + 1,)
        found: list[tuple[float, float] | None] = []
        for column in range(columns):
            begin, end = places[column], places[column + 1]
            if end > begin:
                part = self.values[begin:end]
                low, high = float(np.fmin.reduce(part)), float(np.fmax.reduce(part))
                found.append((low, high) if low == low else None)
            else:
                middle_s = float(edges[column] + edges[column + 1]) / 2
                value = self._across(int(begin), middle_s)
                found.append(None if value is None else (value, value))
        return found

    def _across(self, place: int, at_s: float) -> float | None:
        """The value on the way to the sample at a place; None across a gap."""
        if not 0 < place < len(self.times_s):
            return None
        before_s, after_s = self.times_s[place - 1 : place + 1]
        if not 0.0 < after_s - before_s <= self.gap_s:
            return None
        before, after = self.values[place - 1 : place + 1]
        value = before + (after - before) * (at_s - before_s) / (after_s - before_s)
        return float(value) if np.isfinite(value) else None


def make_trace(
    name: str, unit: str, times_s: list[float], values: list[float], *, channel: bool
) -> ClipTrace:
    """Put samples in the order of their times, and find what a gap is."""
    times = np.asarray(times_s, dtype=np.float64)
    order = np.argsort(times, kind="stable")
    times = times[order]
    usual_s = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return ClipTrace(
        name,
        unit,
        times,
        np.asarray(values, dtype=np.float64)[order],
        channel,
        GAP_PERIODS * usual_s,
    )


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was said at a moment, in a word or two."""

    at_s: float
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A recording, ready to be drawn.

    Attributes:
        cell_id: Whose.
        window_s: Begin of the window; it ends at 0.
        first_s: Begin of the recording.
        last_s: Its end.
        whole: The node still had all of it.
        messages: Of all topics.
        traces: Channels first, then what else is a number.
        marks: What was said, oldest first.
        undrawn: Topics that no line can be drawn of, with their messages.
        end_utc_ns: End of the window, UTC by the node's clock.
    """

    cell_id: str
    window_s: float
    first_s: float
    last_s: float
    whole: bool
    messages: int
    traces: tuple[ClipTrace, ...]
    marks: tuple[Mark, ...] = ()
    undrawn: tuple[tuple[str, int], ...] = ()
    end_utc_ns: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """The clip screen's matter: a clip that is here, is coming, or could not.

    Attributes:
        clip: None until it is here.
        bytes: How much has come; all of it when clip is there.
        of_bytes: How much there is; 0 while that is not known.
        note: Why there is no clip, one sentence.
        order: Channel names, the most telling first.
    """

    clip_id: str
    clip: Clip | None = None
    bytes: int = 0
    of_bytes: int = 0
    note: str = ""
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """The stretch of a clip that is on the screen.

    Attributes:
        first_s: Its begin.
        last_s: Its end.
        least_s: Begin of the clip.
        most_s: End of the clip.
    """

    first_s: float
    last_s: float
    least_s: float
    most_s: float

    @classmethod
    def of(cls, clip: Clip) -> View:
        """All of it."""
        last_s = max(clip.last_s, clip.first_s + LEAST_S)
        return cls(clip.first_s, last_s, clip.first_s, last_s)

    @property
    def span_s(self) -> float:
        """How long the stretch is."""
        return self.last_s - self.first_s

    def all(self) -> View:
        """The whole clip."""
        return replace(self, first_s=self.least_s, last_s=self.most_s)

    def on(self, first_s: float, last_s: float) -> View:
        """Another stretch, as far as the clip has it."""
        span_s = min(max(last_s - first_s, LEAST_S), self.most_s - self.least_s)
        first_s = min(max(first_s, self.least_s), self.most_s - span_s)
        return replace(self, first_s=first_s, last_s=first_s + span_s)

    def moved(self, share: float) -> View:
        """Later by a share of its length; earlier when negative."""
        by_s = share * self.span_s
        return self.on(self.first_s + by_s, self.last_s + by_s)

    def zoomed(self, factor: float) -> View:
        """So much of the stretch around its middle: below 1 closer, above 1 wider."""
        middle_s = (self.first_s + self.last_s) / 2
        half_s = self.span_s * factor / 2
        return self.on(middle_s - half_s, middle_s + half_s)
