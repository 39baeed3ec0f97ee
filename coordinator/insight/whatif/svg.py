"""Small pictures as SVG text: a curve, dots with intervals, stacked bars.

Written out by hand, because nothing that draws for us is light, takes its colours from
the page, gives each picture an alternative text, and writes the same bytes every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 640
HEIGHT: Final = 300
LEFT, RIGHT, TOP, BOTTOM = 56, 30, 14, 44
"""Room around the drawing for its axes."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a picture.

    Attributes:
        name: What it shows, with its unit.
        low: Value at its beginning.
        high: Value at its end, above low.
        percent: Its values are shares.
        steps: Parts between its numbers.
    """

    name: str
    low: float
    high: float
    percent: bool = False
    steps: int = 4

    def ticks(self) -> list[float]:
        """Where numbers stand."""
        span = self.high - self.low
        return [self.low + span * i / self.steps for i in range(self.steps + 1)]

    def text(self, value: float) -> str:
        """A number of this axis."""
        if self.percent:
            whole = round(value * 1000) % 10 == 0
            return f"{value * 100:.0f} %" if whole else f"{value * 100:.1f} %"
        return f"{value:g}" if value == round(value, 2) else f"{value:.2f}"


@dataclass(frozen=True, slots=True)
class Frame:
    """Two axes, and where values lie between them."""

    x: Axis
    y: Axis

    def across(self, value: float) -> float:
        """Place of a value of the x axis, in pixels."""
        share = (value - self.x.low) / (self.x.high - self.x.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def down(self, value: float) -> float:
        """Place of a value of the y axis, in pixels."""
        share = (value - self.y.low) / (self.y.high - self.y.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def lines(self) -> str:
        """Axes, numbers and grid."""
        parts = []
        for value in self.y.ticks():
            y = self.down(value)
            parts.append(_line(LEFT, y, WIDTH - RIGHT, y, "grid"))
            parts.append(_text(LEFT - 6, y + 4, self.y.text(value), "end"))
        for value in self.x.ticks():
            x = self.across(value)
            parts.append(_line(x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 4, "axis"))
            parts.append(_text(x, HEIGHT - BOTTOM + 17, self.x.text(value), "middle"))
        parts.append(
            _line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "axis")
        )
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(_text(middle, HEIGHT - 6, self.x.name, "middle"))
        turned = (TOP + HEIGHT - BOTTOM) / 2
        parts.append(
            f'<text x="12" y="{_n(turned)}" text-anchor="middle" '
            f'transform="rotate(-90 12 {_n(turned)})">{escape(self.y.name)}</text>'
        )
        return "".join(parts)


def picture(name: str, title: str, told: str, *parts: str) -> str:
    """A whole picture with its text alternative.

    Args:
        name: Unique on the page, for the references inside.
        title: What it is.
        told: The same in words, for who does not see it.
        parts: What is drawn, the lowest first.
    """
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(title)}</title>'
        f'<desc id="{name}-d">{escape(told)}</desc>{"".join(parts)}</svg>'
    )


def curve(frame: Frame, points: Sequence[tuple[float, float]], kind: str) -> str:
    """A line through points."""
    places = " ".join(f"{_n(frame.across(x))},{_n(frame.down(y))}" for x, y in points)
    return f'<polyline class="{kind}" points="{places}"/>'


def dot(frame: Frame, x: float, y: float, kind: str, told: str = "") -> str:
    """A dot; `told` is shown when pointed at."""
    title = f"<title>{escape(told)}</title>" if told else ""
    return (
        f'<circle class="{kind}" cx="{_n(frame.across(x))}" '
        f'cy="{_n(frame.down(y))}" r="4.5">{title}</circle>'
    )


def span(frame: Frame, x: float, low: float, high: float) -> str:
    """An interval as an upright line."""
    at = frame.across(x)
    return _line(at, frame.down(low), at, frame.down(high), "span")


def rule(
    frame: Frame, start: tuple[float, float], end: tuple[float, float], kind: str
) -> str:
    """A straight line from one place to another."""
    (x1, y1), (x2, y2) = start, end
    return _line(
        frame.across(x1), frame.down(y1), frame.across(x2), frame.down(y2), kind
    )


def label(frame: Frame, x: float, y: float, text: str) -> str:
    """Words at a place, above and left of it where it lies far right."""
    right = x > frame.x.low + 0.7 * (frame.x.high - frame.x.low)
    return _text(
        frame.across(x) + (-8 if right else 8),
        frame.down(y) - 8,
        text,
        "end" if right else "start",
    )


def stack(
    frame: Frame,
    first: float,
    last: float,
    parts: Sequence[tuple[float, str]],
    told: str,
) -> str:
    """Bars on each other from first to last, each with its height and kind."""
    bars, below = [], frame.y.low
    for height, kind in parts:
        if height > 0.0:
            top, bottom = frame.down(below + height), frame.down(below)
            bars.append(
                f'<rect class="{kind}" x="{_n(frame.across(first) + 1)}" '
                f'y="{_n(top)}" height="{_n(bottom - top)}" '
                f'width="{_n(frame.across(last) - frame.across(first) - 2)}"/>'
            )
        below += height
    return f"<g><title>{escape(told)}</title>{''.join(bars)}</g>"


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return (
        f'<line class="{kind}" x1="{_n(x1)}" y1="{_n(y1)}" '
        f'x2="{_n(x2)}" y2="{_n(y2)}"/>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{escape(text)}</text>'


def _n(value: float) -> str:
    """A pixel; one digit, so that equal numbers are equal bytes on every machine."""
    return f"{value:.1f}"
