"""How things look: lamps, words, times and bars. Colour is never the only sign.

Styles name the theme's variables, so that a theme of higher contrast changes them all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from textual.content import Content

from tui.terms import Action, Cell, CellState, HoldReason, ModelState

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
        band: Background of a tile's first line: loud only where a person is needed.
    """

    shape: str
    word: str
    style: str
    band: str = "$panel"


LAMPS: Final[Mapping[CellState, Lamp]] = {
    CellState.OFFLINE: Lamp("x", "offline", DIM),
    CellState.IDLE: Lamp("○", "idle", CALM),
    CellState.WORKING: Lamp("●", "working", GOOD),
    CellState.DECIDING: Lamp("◐", "deciding", GOOD),
    CellState.ASKING: Lamp("▲", "ASKING", ASKS, "$warning"),
    CellState.HELD: Lamp("■", "HELD", BAD, "$error"),
    CellState.MAINTENANCE: Lamp("◇", "service", CALM),
}

NO_HOLD: Final = Lamp("‼", "NO HOLD", "bold $background on $error", "$error")
"""A cell that is held and whose robot does not confirm it: worse than any state."""

REASONS: Final[Mapping[HoldReason, str]] = {
    HoldReason.NONE: "held",
    HoldReason.LOW_CONFIDENCE: "nobody answered in time",
    HoldReason.STALE_DATA: "the data was too old",
    HoldReason.BAD_DATA: "a sensor cannot be used",
    HoldReason.LINK_LOST: "the link to the cell was lost",
    HoldReason.STORE_DEGRADED: "a decision could not be stored",
    HoldReason.MODEL_FAULT: "the model failed",
    HoldReason.STOP_LABEL: "look at the cell",
    HoldReason.IDENTITY: "not the cell or scene it was",
    HoldReason.OPERATOR_HOLD: "held by hand",
    HoldReason.SAFETY_STOP_SEEN: "the robot's safety stop",
    HoldReason.INTEGRITY: "the record does not verify",
}

ACTIONS: Final[Mapping[Action, str]] = {
    Action.NONE: "",
    Action.CONTINUE: "continue",
    Action.REWORK: "rework",
    Action.REJECT: "reject",
    Action.STOP: "stop the cell",
}

MODELS: Final[Mapping[ModelState, Lamp]] = {
    ModelState.UNKNOWN: Lamp("?", "unknown", DIM),
    ModelState.CANDIDATE: Lamp("◌", "candidate", CALM),
    ModelState.VALIDATED: Lamp("◆", "validated", CALM),
    ModelState.SHADOW: Lamp("◐", "shadow", CALM),
    ModelState.ARMED: Lamp("▲", "armed", ASKS),
    ModelState.LIVE: Lamp("●", "LIVE", GOOD),
    ModelState.ROLLED_BACK: Lamp("↶", "rolled back", DIM),
    ModelState.RETIRED: Lamp("○", "retired", DIM),
    ModelState.REFUSED: Lamp("x", "refused", BAD),
}

GATES: Final[Mapping[str, tuple[str, str]]] = {
    "ASK_ALL": ("asks about everything", ASKS),
    "PROVISIONAL": ("acts alone above a threshold, no risk certified", CALM),
    "CERTIFIED": ("acts alone within its certified risk", GOOD),
    "CLOSED": ("closed: asks about everything", BAD),
}


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
        return "now"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


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
