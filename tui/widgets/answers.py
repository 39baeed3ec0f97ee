"""The answers a person can give: key, words, the model's belief, what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual.content import Content

from tui import look
from tui.evidence import Evidence, Phase
from tui.scene import Scene
from tui.terms import Action
from tui.widgets.picture import Picture
from tui.widgets.strips import words_of
from tui.words import plant, say

KEYS: Final = 4
"""Answers on keys at a time."""


@dataclass(frozen=True, slots=True)
class Option:
    """One answer on a key; not plausible: the model would leave it out."""

    label: str
    text: str
    belief: float
    action: Action
    plausible: bool = True


def pages(evidence: Evidence) -> list[list[Option]]:
    """The plausible answers, then the family's other labels, four at a time.

    Where the plausible ones are fewer than the keys, the most believed others fill
    them: to correct the model must not cost a key more than to agree with it.
    """
    offered = [choice.label for choice in evidence.choices[:KEYS]]
    chosen = [
        _option(evidence, choice.label, choice.probability, choice.action)
        for choice in evidence.choices[:KEYS]
    ]
    others = [
        _option(evidence, label.name, 0.0, label.action, plausible=not chosen)
        for label in evidence.labels
        if label.name not in offered
    ]
    others.sort(key=lambda option: -option.belief)
    options = [*chosen, *others]
    return [options[i : i + KEYS] for i in range(0, len(options), KEYS)]


def _option(
    evidence: Evidence,
    name: str,
    belief: float,
    action: Action,
    *,
    plausible: bool = True,
) -> Option:
    label = evidence.label(name)
    text = plant(name) if label is None else words_of(label)
    return Option(name, text, evidence.beliefs.get(name, belief), action, plausible)


def set_in_short(evidence: Evidence) -> str:
    """How often the answer is among the plausible ones; "" while that is not known."""
    why, count = evidence.why, len(evidence.choices)
    if not why.calibrated:
        return ""
    return say("why.short", coverage=look.percent(why.coverage), count=count)


class Answers(Picture):
    """The answers on keys 1 to 4, page by page."""

    def __init__(self) -> None:
        super().__init__()
        self._view = ""
        self._page = 0

    @property
    def options(self) -> Sequence[Option]:
        """What keys 1 to 4 mean now."""
        found = self._pages()
        return found[self._page % len(found)] if found else ()

    def turn(self) -> None:
        """Show the next four labels."""
        self._page += 1
        self._redraw()

    def _pages(self) -> list[list[Option]]:
        sitting = self._scene.sitting if self._scene else None
        if sitting is None or sitting.evidence is None:
            return []
        if sitting.evidence.view_digest != self._view:
            self._view, self._page = sitting.evidence.view_digest, 0
        return pages(sitting.evidence)

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        sitting = scene.sitting
        if sitting is None or sitting.evidence is None:
            return [Content.styled("  ...", look.DIM)]
        mine = sitting.phase is Phase.MINE and scene.board.connected
        live = "" if mine else look.DIM
        said = sitting.label if sitting.phase in {Phase.SENDING, Phase.UNSENT} else None
        asked = bool(sitting.evidence.beliefs)
        lines = [
            _line(str(n), option, width, live, asked=asked, said=option.label == said)
            for n, option in enumerate(self.options, 1)
        ]
        more = len(self._pages()) > 1
        cannot_tell, others = say("request.cannot_tell"), say("request.other_labels")
        tail = Content.assemble((" 0  ", _key(live)), (cannot_tell, live))
        if more:
            tail += Content.assemble(("      m  ", _key(live)), (others, live))
        short = set_in_short(sitting.evidence)
        if short and tail.cell_length + len(short) + 4 <= width:
            gap = " " * (width - tail.cell_length - len(short) - 1)
            tail += Content.styled(gap + short, look.DIM)
        return [*lines, look.cut(tail, width)]


def _key(live: str) -> str:
    return live or "bold $accent"


def _line(
    key: str, option: Option, width: int, live: str, *, asked: bool, said: bool
) -> Content:
    """One answer: key, words, belief, what it lets the robot do."""
    follows = look.ACTIONS[option.action]
    meter = max(8, min(24, width // 6))
    belief = Content("")
    if asked:
        share = f"{look.percent(option.belief):>6}"
        belief = look.bar(option.belief, meter, "$primary") + Content(share)
    strong = look.STRONG if option.plausible else look.DIM
    words = Content.styled(option.text, live or strong)
    room = 6 + (meter + 7 if asked else 0) + 15
    style = look.BAD if option.action is Action.STOP else look.DIM
    line = look.columns(
        (Content.styled(f"{'▸' if said else ' '}{key} ", _key(live)), 4),
        (words, width - room - 1),
        ("", 1),
        (belief, meter + 7 if asked else 0),
        (Content.assemble(("  " + follows, style)), 15),
    )
    return line.stylize("bold on $panel") if said else line
