"""How things look: lamps, words, times and bars. Colour is never the only sign.

Styles name the theme's variables, so that a theme of higher contrast changes them all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

from textual.content import Content

from tui.terms import Action, Cell, CellState, HoldReason, ModelState
from tui.words import named, say

DIM: Final = "$foreground 60%"
STRONG: Final = "bold $foreground"
GOOD: Final = "$text-success"
ASKS: Final = "bold $text-warning"
BAD: Final = "bold $text-error"
CALM: Final = "$text-accent"


@dataclass(frozen=True, slots=True)
class Lamp:
    """Shape, word and style of one state: any one of them tells it.

    Attributes:
        key: Of its word, in the words of the terminal.
        band: Background of a tile's first line: loud only where a person is needed.
    """

    shape: str
    key: str
    style: str
    band: str = "$panel"

    @property
    def word(self) -> str:
        """Its word, in the language that is spoken."""
        return say(self.key)


LAMPS: Final[Mapping[CellState, Lamp]] = {
    CellState.OFFLINE: Lamp("x", "state.offline", DIM),
    CellState.IDLE: Lamp("○", "state.idle", CALM),
    CellState.WORKING: Lamp("●", "state.working", GOOD),
    CellState.DECIDING: Lamp("◐", "state.deciding", GOOD),
    CellState.ASKING: Lamp("▲", "state.asking", ASKS, "$warning"),
    CellState.HELD: Lamp("■", "state.held", BAD, "$error"),
    CellState.MAINTENANCE: Lamp("◇", "state.maintenance", CALM),
}

NO_HOLD: Final = Lamp("‼", "state.no_hold", "bold $background on $error", "$error")
"""A cell that is held and whose robot does not confirm it: worse than any state."""

_E = TypeVar("_E", bound=Enum)


class _Said(Mapping[_E, str]):
    """The words of an enum, each said in the language of the moment."""

    def __init__(self, kind: type[_E], prefix: str) -> None:
        self._kind, self._prefix = kind, prefix

    def __getitem__(self, member: _E) -> str:
        return say(f"{self._prefix}.{member.value}")

    def __iter__(self) -> Iterator[_E]:
        return iter(self._kind)

    def __len__(self) -> int:
        return len(self._kind)


REASONS: Final[Mapping[HoldReason, str]] = _Said(HoldReason, "reason")
ACTIONS: Final[Mapping[Action, str]] = _Said(Action, "action")

MODELS: Final[Mapping[ModelState, Lamp]] = {
    ModelState.UNKNOWN: Lamp("?", "model.unspecified", DIM),
    ModelState.CANDIDATE: Lamp("◌", "model.candidate", CALM),
    ModelState.VALIDATED: Lamp("◆", "model.validated", CALM),
    ModelState.SHADOW: Lamp("◐", "model.shadow", CALM),
    ModelState.ARMED: Lamp("▲", "model.armed", ASKS),
    ModelState.LIVE: Lamp("●", "model.live", GOOD),
    ModelState.ROLLED_BACK: Lamp("↶", "model.rolled_back", DIM),
    ModelState.RETIRED: Lamp("○", "model.retired", DIM),
    ModelState.REFUSED: Lamp("x", "model.refused", BAD),
}

GATES: Final[Mapping[str, str]] = {
    "ASK_ALL": ASKS,
    "PROVISIONAL": CALM,
    "CERTIFIED": GOOD,
    "CLOSED": BAD,
}
"""The style of each state of the gate."""


def gate(state: str) -> tuple[str, str]:
    """What a state of the gate means, and its style."""
    return named(f"gate.{state}", state.lower()), GATES.get(state, DIM)


def lamp(cell: Cell) -> Lamp:
    """What a cell's lamp shows."""
    return NO_HOLD if cell.hold_unconfirmed else LAMPS[cell.state]


def countdown(seconds: float) -> str:
    """Time left as a clock shows it: "0:07", "2:30", "1:04:00"; never below zero."""
    whole = max(0, int(seconds)) if seconds == seconds else 0
    hours, rest = divmod(whole, 3600)
    minutes, seconds_ = divmod(rest, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{seconds_:02d}"
    return f"{minutes}:{seconds_:02d}"


def ago(seconds: float) -> str:
    """How long, in one unit: "now", "12 s", "3 min", "2 h", "5 d"."""
    if not seconds >= 1.0:
        return say("ago.now")
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return say(f"ago.{unit}", count=int(seconds // size))
    return say("ago.s", count=int(seconds))


def percent(share: float) -> str:
    """A share in [0, 1] as "61 %", and "-" for what is no number."""
    return f"{share:.0%}".replace("%", " %") if 0.0 <= share <= 1.0 else "-"


def number(value: float) -> str:
    """A sample in at most 7 letters."""
    if value != value:
        return "-"
    if value == 0.0:
        return "0"
    if abs(value) >= 10_000 or abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:.3g}"


def limits(low: float, high: float) -> tuple[str, str]:
    """Two samples with as many digits as it takes to tell them apart."""
    span = high - low
    if not 0.0 < span < 10_000.0 or not max(abs(low), abs(high)) < 100_000.0:
        return number(low), number(high)
    digits = min(5, max(0, 2 - math.floor(math.log10(span))))
    return f"{low:.{digits}f}", f"{high:.{digits}f}"


_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def bar(share: float, width: int, style: str, empty: str = "$panel") -> Content:
    """A bar of width cells, filled to a share in [0, 1], in eighths of a cell."""
    eighths = round(min(1.0, share) * width * 8) if share > 0.0 else 0
    full, rest = divmod(eighths, 8)
    filled = "█" * full + (_EIGHTHS[rest] if rest else "")
    return Content.assemble((filled, style), ("░" * (width - len(filled)), empty))


def cut(content: Content | str, width: int) -> Content:
    """The content in exactly so many cells, with an ellipsis where it was longer."""
    whole = Content(content) if isinstance(content, str) else content
    return whole.truncate(max(0, width), ellipsis=True, pad=True)


def wrapped(text: str, width: int, lines: int) -> list[Content]:
    """The text in exactly so many lines, the last with an ellipsis if it was longer."""
    found = Content(text).wrap(max(1, width))
    if len(found) > lines:
        rest = Content(" ").join(found[lines - 1 :])
        found = [*found[: lines - 1], rest]
    padded = [*found, *[Content("")] * (lines - len(found))]
    return [cut(line, width) for line in padded]


def columns(*parts: tuple[Content | str, int]) -> Content:
    """Parts side by side, each in its number of cells."""
    return Content("").join([cut(part, width) for part, width in parts])
