"""The traces of a window, one strip a channel, the most telling first.

Drawn line by line from what was drawn once a size: 24 channels in a few milliseconds,
where a plotting library freezes the app for a quarter of a second.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from tui import braille, look
from tui.evidence import Evidence, Trace

NAMES: Final = 22
"""Width of the names, units and limits beside the strips, in characters."""


class Strips(Widget, can_focus=True):
    """A window's channels; up and down show the others."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "strips--name",
        "strips--limits",
        "strips--line",
        "strips--suspicious",
        "strips--absent",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_traces(-1)", "up", show=False),
        Binding("down,j", "scroll_traces(1)", "down", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._evidence: Evidence | None = None
        self._first = 0

    def show_evidence(self, evidence: Evidence | None) -> None:
        """Draw another window, from its most telling channel on."""
        if evidence is self._evidence:
            return
        before = self._evidence.view_digest if self._evidence else ""
        if evidence is None or evidence.view_digest != before:
            self._first = 0
        self._evidence = evidence
        self.refresh()

    def action_scroll_traces(self, step: int) -> None:
        """Show the channels before or after."""
        last = len(self._traces) - self.in_sight
        self._first = max(0, min(self._first + step, last))
        self.refresh()

    @property
    def strip_height(self) -> int:
        """Rows of one strip: at least three, more where there is room."""
        return max(3, min(5, (self.size.height - 1) // 6))

    @property
    def in_sight(self) -> int:
        """How many strips there is room for."""
        return max(1, (self.size.height - 1) // self.strip_height)

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
        strip, row = divmod(y, self.strip_height)
        place = self._first + strip
        if strip >= self.in_sight or place >= len(self._traces):
            return Strip.blank(width, self.rich_style)
        return self._row(self._traces[place], row, width)

    def _row(self, trace: Trace, row: int, width: int) -> Strip:
        name = self._beside(trace, row)
        room = width - NAMES
        if not trace.present:
            style = self.get_component_rich_style("strips--absent")
            text = " no signal" if row == self.strip_height // 2 else ""
            return Strip([name, Segment(text.ljust(room), style)])
        drawn = _drawn(trace.values, room, self.strip_height)[row]
        plain = self.get_component_rich_style("strips--line")
        if trace.last_row < trace.first_row:
            return Strip([name, Segment(drawn, plain)])
        rows = len(trace.values)
        first = braille.column_of(trace.first_row, rows, room)
        last = braille.column_of(trace.last_row, rows, room) + 1
        marked = self.get_component_rich_style("strips--suspicious")
        if row == self.strip_height - 1:
            marked += RichStyle(underline=True)
        return Strip(
            [
                name,
                Segment(drawn[:first], plain),
                Segment(drawn[first:last], marked),
                Segment(drawn[last:], plain),
            ]
        )

    def _beside(self, trace: Trace, row: int) -> Segment:
        channel = trace.channel
        low, high = look.limits(*braille.extent(trace.values))
        unit = channel.unit.replace("*", "·")
        if row == 0:
            share = f" {look.percent(trace.weight)}" if trace.weight > 0.0 else ""
            room = NAMES - 2 - len(share)
            text = f"{channel.name[:room]:<{room}}{share}"
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
        more = f" {self._first + 1}-{seen} of {len(self._traces)}"
        end = f"{duration_s:.1f} s"
        line = more.ljust(NAMES) + "0" + end.rjust(width - NAMES - 1)
        return Strip([Segment(line[:width], style)])


@lru_cache(maxsize=256)
def _drawn(values: tuple[float, ...], width: int, height: int) -> tuple[str, ...]:
    return tuple(braille.line(values, width, height))
