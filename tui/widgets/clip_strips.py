"""The traces of a clip at full rate, one strip a channel, over a stretch of time.

Drawn from least and greatest value in each dot column, so that a spike of one sample
is seen however far away one looks.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from tui import braille, look
from tui.clip import Clip, ClipTrace, View
from tui.widgets.strips import NAMES, in_sight
from tui.words import say

BELOW: Final = 2
"""Rows below the strips: what was said, and the time."""
CLOSER: Final = 0.5
STEP: Final = 0.25
"""How far one key moves, as a share of what is shown."""


class ClipStrips(Widget, can_focus=True):
    """A clip's channels: arrows move through channels and time, plus and minus zoom."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "strips--name",
        "strips--limits",
        "strips--line",
        "strips--window",
        "strips--absent",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_traces(-1)", "keys.up", show=False),
        Binding("down,j", "scroll_traces(1)", "keys.down", show=False),
        Binding("left", f"move({-STEP})", "keys.before", show=False),
        Binding("right", f"move({STEP})", "keys.later", show=False),
        Binding("pageup", "move(-1)", "keys.much_earlier", show=False),
        Binding("pagedown", "move(1)", "keys.much_later", show=False),
        Binding("plus,equals_sign", f"zoom({CLOSER})", "keys.closer", show=False),
        Binding("minus", f"zoom({1 / CLOSER})", "keys.wider", show=False),
        Binding("home", "all", "keys.all_of_it", show=False),
        Binding("w", "window", "keys.window", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clip: Clip | None = None
        self._chosen: tuple[ClipTrace, ...] = ()
        self._view: View | None = None
        self._first = 0

    @property
    def view(self) -> View | None:
        """The stretch on the screen; None without a clip."""
        return self._view

    def show_clip(self, clip: Clip | None, chosen: tuple[ClipTrace, ...]) -> None:
        """Draw these traces of a clip; of another one, all of its time."""
        if clip is self._clip and chosen == self._chosen:
            return
        if clip is not self._clip:
            self._view = None if clip is None else View.of(clip)
        self._clip, self._chosen, self._first = clip, chosen, 0
        self.refresh()

    def action_scroll_traces(self, step: int) -> None:
        """Show the channels before or after."""
        last = len(self._chosen) - self.in_sight
        self._first = max(0, min(self._first + step, last))
        self.refresh()

    def action_move(self, share: float) -> None:
        """Go through time by a share of what is shown."""
        self._look(self._view.moved(share) if self._view else None)

    def action_zoom(self, factor: float) -> None:
        """Look closer, or wider."""
        self._look(self._view.zoomed(factor) if self._view else None)

    def action_all(self) -> None:
        """Show all of it."""
        self._look(self._view.all() if self._view else None)

    def action_window(self) -> None:
        """Show the window that was judged, with a little around it."""
        if self._view is not None and self._clip is not None:
            margin_s = -0.1 * self._clip.window_s
            self._look(self._view.on(self._clip.window_s - margin_s, margin_s))

    def _look(self, view: View | None) -> None:
        self._view = view
        self.refresh()

    @property
    def strip_height(self) -> int:
        """Rows of one strip: at least three, more where there is room."""
        room = max(3, self.size.height - BELOW)
        return max(3, min(8, room // max(1, min(len(self._chosen), 6))))

    @property
    def in_sight(self) -> int:
        """How many strips there is room for."""
        return max(1, (self.size.height - BELOW) // self.strip_height)

    def render_line(self, y: int) -> Strip:
        """Draw one row of the screen."""
        width, height = self.size
        if self._clip is None or self._view is None or width < NAMES + 10:
            return Strip.blank(width, self.rich_style)
        if y == height - 1:
            return self._axis(self._view, width)
        if y == height - 2:
            return self._marks(self._clip, self._view, width)
        strip, row = divmod(y, self.strip_height)
        place = self._first + strip
        if strip >= self.in_sight or place >= len(self._chosen):
            return Strip.blank(width, self.rich_style)
        return self._row(self._chosen[place], row, self._view, width)

    def _row(self, trace: ClipTrace, row: int, view: View, width: int) -> Strip:
        room = width - NAMES
        low, high, lines = _drawn(trace, view, room, self.strip_height)
        name = self._beside(trace, row, (low, high))
        if not math.isfinite(low):
            style = self.get_component_rich_style("strips--absent")
            text = f" {say('clip.nothing')}" if row == self.strip_height // 2 else ""
            return Strip([name, Segment(text.ljust(room), style)])
        plain = self.get_component_rich_style("strips--line")
        marked = self.get_component_rich_style("strips--window")
        if row == self.strip_height - 1:
            marked += RichStyle(underline=True)
        first, last = self._window(view, room)
        line = lines[row]
        return Strip(
            [
                name,
                Segment(line[:first], plain),
                Segment(line[first:last], marked),
                Segment(line[last:], plain),
            ]
        )

    def _window(self, view: View, room: int) -> tuple[int, int]:
        """The columns of the window that was judged."""
        window_s = self._clip.window_s if self._clip else 0.0
        ends = [_column(at_s, view, room) for at_s in (window_s, 0.0)]
        first, last = (max(0, min(room, end)) for end in ends)
        return first, last

    def _beside(
        self, trace: ClipTrace, row: int, limits: tuple[float, float]
    ) -> Segment:
        low, high = look.limits(*limits)
        unit = trace.unit.replace("*", "·")
        if row == 0:
            style = self.get_component_rich_style("strips--name")
            return Segment(f" {trace.name[: NAMES - 2]}".ljust(NAMES), style)
        style = self.get_component_rich_style("strips--limits")
        text = ""
        if row == 1:
            text = f"max {high:>8} {unit}"
        elif row == self.strip_height - 1:
            text = f"min {low:>8} {unit}"
        return Segment(f" {text}".ljust(NAMES)[:NAMES], style)

    def _marks(self, clip: Clip, view: View, width: int) -> Strip:
        """What the robot's program said, where it said it."""
        room = width - NAMES
        line = [" "] * room
        free = 0
        for mark in clip.marks:
            place = _column(mark.at_s, view, room)
            if not max(0, free) <= place < room:
                continue
            text = f"╷{mark.text}"[: room - place]
            line[place : place + len(text)] = text
            free = place + len(text) + 1
        style = self.get_component_rich_style("strips--limits")
        name = f" {say('strips.marks')}" if clip.marks else ""
        return Strip([Segment(name.ljust(NAMES) + "".join(line), style)])

    def _axis(self, view: View, width: int) -> Strip:
        """Which channels are in sight, and the time; 0 is the end of the window."""
        style = self.get_component_rich_style("strips--limits")
        seen = min(len(self._chosen), self._first + self.in_sight)
        more = f" {in_sight(self._first, seen, len(self._chosen))}"
        room = width - NAMES
        line = [" "] * room
        free = 0
        for at_s in _ticks(view, room):
            text = _moment(at_s, view.span_s)
            place = min(_column(at_s, view, room), room - len(text))
            if place >= free:
                line[place : place + len(text)] = text
                free = place + len(text) + 2
        return Strip([Segment(more.ljust(NAMES)[:NAMES] + "".join(line), style)])


def _column(at_s: float, view: View, room: int) -> int:
    """The character column of a moment; outside 0 to room when it is out of sight."""
    return math.floor((at_s - view.first_s) / view.span_s * room)


def _ticks(view: View, room: int) -> list[float]:
    """Round moments, one about every sixteen characters."""
    about_s = view.span_s / max(1, room // 16)
    power = 10.0 ** math.floor(math.log10(about_s))
    step_s = next(power * n for n in (1, 2, 5, 10) if power * n >= about_s)
    first = math.ceil(view.first_s / step_s - 1e-9)
    count = math.floor((view.last_s - first * step_s) / step_s + 1e-9) + 1
    return [(first + n) * step_s for n in range(max(0, count))]


def _moment(at_s: float, span_s: float) -> str:
    """A moment before or after the end of the window, as fine as the stretch needs."""
    digits = max(0, min(3, 1 - math.floor(math.log10(span_s))))
    text = f"{at_s:+.{digits}f} s"
    return "0" if float(text[:-2]) == 0.0 else text


@lru_cache(maxsize=128)
def _drawn(
    trace: ClipTrace, view: View, width: int, height: int
) -> tuple[float, float, tuple[str, ...]]:
    """Least and greatest value in sight, and the lines."""
    envelopes = trace.envelopes(view.first_s, view.last_s, width * 2)
    inside = [pair for pair in envelopes if pair is not None]
    low = min((pair[0] for pair in inside), default=math.nan)
    high = max((pair[1] for pair in inside), default=math.nan)
    drawn = braille.drawing(envelopes, (low, high), width, height)
    return low, high, tuple(drawn)
