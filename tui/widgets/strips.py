"""The traces of a window, one strip a channel, the most telling first.

Drawn line by line from what was drawn once a size: 24 channels in a few milliseconds,
where a plotting library freezes the app for a quarter of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from itertools import groupby
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from tui import braille, look
from tui.evidence import Evidence, Trace
from tui.terms import Label
from tui.words import plant, say

NAMES: Final = 22
"""Width of the names, units and limits beside the strips, in characters."""
LEAST_COLUMN: Final = 28
"""A window narrower than this tells nothing: then one at a time is drawn."""
STRONG: Final = 0.5
"""Rows that count at least this share of the row that counts most are marked."""
FAINT: Final = 0.2
"""Rows that count at least this share are marked faintly."""


class Strips(Widget, can_focus=True):
    """A window's channels; up and down show the others.

    Where there is room, the same channels of the two most alike examples are beside
    it, on the same scale; else turn() shows one after the other.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "strips--name",
        "strips--limits",
        "strips--line",
        "strips--suspicious",
        "strips--faint",
        "strips--alike",
        "strips--absent",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_traces(-1)", "keys.up", show=False),
        Binding("down,j", "scroll_traces(1)", "keys.down", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._evidence: Evidence | None = None
        self._first = 0
        self._turned = 0

    def show_evidence(self, evidence: Evidence | None) -> None:
        """Draw another window, from its most telling channel on."""
        if evidence is self._evidence:
            return
        before = self._evidence.view_digest if self._evidence else ""
        if evidence is None or evidence.view_digest != before:
            self._first = self._turned = 0
        self._evidence = evidence
        self.refresh()

    def turn(self) -> bool:
        """Show the next most alike example, then the window; False without one."""
        self._turned = (self._turned + 1) % (1 + self._alike)
        self.refresh()
        return self._alike > 0

    def action_scroll_traces(self, step: int) -> None:
        """Show the channels before or after."""
        last = len(self._traces) - self.in_sight
        self._first = max(0, min(self._first + step, last))
        self.refresh()

    @property
    def shown(self) -> Sequence[int]:
        """What is drawn side by side: 0 is the window, then the alike examples."""
        room = self.size.width - NAMES
        if self._alike and room // (1 + self._alike) >= LEAST_COLUMN:
            return range(1 + self._alike)
        return (self._turned,)

    @property
    def can_turn(self) -> bool:
        """Whether there are alike examples and no room for them beside."""
        return self._alike > 0 and len(self.shown) == 1

    @property
    def strip_height(self) -> int:
        """Rows of one strip: at least three, more where there is room."""
        return max(3, min(5, self._rows // 6))

    @property
    def in_sight(self) -> int:
        """How many strips there is room for."""
        return max(1, self._rows // self.strip_height)

    @property
    def _rows(self) -> int:
        """Rows for strips: all but the axis, and the heads where there are any."""
        return self.size.height - 1 - self._has_heads

    @property
    def _has_heads(self) -> bool:
        return tuple(self.shown) != (0,)

    @property
    def _alike(self) -> int:
        """How many alike examples came with their samples."""
        return len(self._traces[0].alike) if self._traces else 0

    @property
    def _traces(self) -> tuple[Trace, ...]:
        return self._evidence.traces if self._evidence else ()

    def render_line(self, y: int) -> Strip:
        """Draw one row of the screen."""
        width, height = self.size
        if self._evidence is None or width < NAMES + 10:
            return Strip.blank(width, self.rich_style)
        if y == height - 1:
            return self._axis(width)
        if self._has_heads:
            if y == 0:
                return self._heads(self._evidence, width)
            y -= 1
        strip, row = divmod(y, self.strip_height)
        place = self._first + strip
        if strip >= self.in_sight or place >= len(self._traces):
            return Strip.blank(width, self.rich_style)
        return self._row(self._traces[place], row, width)

    def _room(self, width: int) -> int:
        """Width of one of the windows side by side, with a gap behind it."""
        return (width - NAMES) // len(self.shown)

    def _heads(self, evidence: Evidence, width: int) -> Strip:
        """Over each window what it is."""
        style = self.get_component_rich_style("strips--limits")
        parts = [Segment(" " * NAMES, style)]
        for which in self.shown:
            text = head(evidence, which)
            if len(self.shown) == 1:
                text = say("request.shown", shown=text)
            room = self._room(width)
            parts.append(Segment(text[: room - 1].ljust(room), style))
        return Strip(parts).adjust_cell_length(width, style)

    def _row(self, trace: Trace, row: int, width: int) -> Strip:
        parts = [self._beside(trace, row)]
        plain = self.get_component_rich_style("strips--limits")
        room = self._room(width)
        for which in self.shown:
            gap = 1 if len(self.shown) > 1 else 0
            parts += self._window(trace, which, row, room - gap)
            parts.append(Segment(" " * gap, plain))
        return Strip(parts).adjust_cell_length(width, plain)

    def _window(self, trace: Trace, which: int, row: int, room: int) -> list[Segment]:
        """One row of one channel of one window."""
        if which == 0 and not trace.present:
            style = self.get_component_rich_style("strips--absent")
            text = (
                f" {say('request.no_signal')}" if row == self.strip_height // 2 else ""
            )
            return [Segment(text.ljust(room), style)]
        values = trace.values if which == 0 else trace.alike[which - 1]
        drawn = _drawn(values, room, self.strip_height, _limits(trace))[row]
        if which:
            return [Segment(drawn, self.get_component_rich_style("strips--alike"))]
        styles = {
            Mark.NONE: self.get_component_rich_style("strips--line"),
            Mark.FAINT: self.get_component_rich_style("strips--faint"),
            Mark.STRONG: self.get_component_rich_style("strips--suspicious"),
        }
        if row == self.strip_height - 1:  # seen without colour too
            styles[Mark.STRONG] += RichStyle(underline=True)
        marks = marked(trace, room)
        parts, first = [], 0
        for mark, run in groupby(marks):
            last = first + len(list(run))
            parts.append(Segment(drawn[first:last], styles[mark]))
            first = last
        return parts

    def _beside(self, trace: Trace, row: int) -> Segment:
        channel = trace.channel
        low, high = look.limits(*_limits(trace))
        unit = channel.unit.replace("*", "·")
        if row == 0:
            share = f" {look.percent(trace.weight)}" if trace.weight > 0.0 else ""
            share = share.replace(" ", " -", 1) if trace.against else share
            room = NAMES - 2 - len(share)
            name = plant(channel.name)
            text = f"{name[:room]:<{room}}{share}"
            style = self.get_component_rich_style("strips--name")
            return Segment(f" {text} ", style)
        style = self.get_component_rich_style("strips--limits")
        text = ""
        if trace.present and row == 1:
            text = f"max {high:>8} {unit}"
        elif trace.present and row == self.strip_height - 1:
            text = f"min {low:>8} {unit}"
        return Segment(f" {text}".ljust(NAMES)[:NAMES], style)

    def _axis(self, width: int) -> Strip:
        """Time from the first row to the last, and which channels are in sight."""
        duration_s = self._evidence.duration_s if self._evidence else 0.0
        style = self.get_component_rich_style("strips--limits")
        seen = min(len(self._traces), self._first + self.in_sight)
        line = f" {in_sight(self._first, seen, len(self._traces))}".ljust(NAMES)
        room, end = self._room(width), f"{duration_s:.1f} s"
        gap = 1 if len(self.shown) > 1 else 0
        for _ in self.shown:
            line += "0" + end.rjust(room - 1 - gap) + " " * gap
        return Strip([Segment(line[:width].ljust(width), style)])


def in_sight(first: int, seen: int, channels: int) -> str:
    """Which of the channels are drawn; `first` counts from 0, `seen` from 1."""
    return say("strips.in_sight", first=first + 1, last=seen, all=channels)


class Mark(Enum):
    """How much a place of a trace counts."""

    NONE = "none"
    """Little."""
    FAINT = "faint"
    """Something."""
    STRONG = "strong"
    """Much: a person should look here."""


def marked(trace: Trace, width: int) -> list[Mark]:
    """How much each character column of a trace counts, from left to right."""
    rows = len(trace.values)
    if not trace.rows or len(trace.rows) != rows:
        first = braille.column_of(trace.first_row, rows, width)
        last = braille.column_of(trace.last_row, rows, width)
        inside = trace.last_row >= trace.first_row
        return [
            Mark.STRONG if inside and first <= column <= last else Mark.NONE
            for column in range(width)
        ]
    counts = [0.0] * width
    for row, weight in enumerate(trace.rows):
        # A row is as wide as it is drawn, also where there are fewer rows than columns.
        first = braille.column_of(row, rows, width)
        last = braille.column_of(row + 1, rows, width) if row + 1 < rows else width
        for column in range(first, max(first + 1, last)):
            counts[column] = max(counts[column], weight)
    return [
        Mark.STRONG if c >= STRONG else Mark.FAINT if c >= FAINT else Mark.NONE
        for c in counts
    ]


def head(evidence: Evidence, which: int) -> str:
    """What a window is: this one, or the most alike example."""
    if which == 0 or which > len(evidence.nearest):
        return say("request.this")
    near = evidence.nearest[which - 1]
    label = evidence.label(near.label)
    return say(
        "request.alike" if which == 1 else "request.then",
        label=plant(near.label) if label is None else words_of(label),
        distance=f"{near.distance:.2f}",
    )


def words_of(label: Label) -> str:
    """What people here call a label."""
    called = plant(label.name)
    return called if called != label.name else label.text or label.name


def _limits(trace: Trace) -> tuple[float, float]:
    """One scale for the window and what it is compared with."""
    found = [braille.extent(values) for values in (trace.values, *trace.alike)]
    known = [(low, high) for low, high in found if low == low]
    if not known:
        return found[0]
    return min(low for low, _ in known), max(high for _, high in known)


@lru_cache(maxsize=512)
def _drawn(
    values: tuple[float, ...], width: int, height: int, limits: tuple[float, float]
) -> tuple[str, ...]:
    return tuple(braille.line(values, width, height, limits))
