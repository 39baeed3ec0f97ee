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

KEYS: Final = 4
"""Answers on keys at a time."""


@dataclass(frozen=True, slots=True)
class Option:
    """One answer on a key."""

    label: str
    text: str
    belief: float
    action: Action


def pages(evidence: Evidence) -> list[list[Option]]:
    """The plausible answers, then the family's other labels, four at a time."""
    first = [
        _option(evidence, choice.label, choice.probability, choice.action)
        for choice in evidence.choices[:KEYS]
    ]
    offered = {option.label for option in first}
    others = [
        _option(evidence, label.name, 0.0, label.action)
        for label in evidence.labels
        if label.name not in offered
    ]
    rest = [others[i : i + KEYS] for i in range(0, len(others), KEYS)]
    return [first, *rest] if first else rest


def _option(evidence: Evidence, name: str, belief: float, action: Action) -> Option:
    label = evidence.label(name)
    text = label.text if label and label.text else name
    return Option(name, text, evidence.beliefs.get(name, belief), action)


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
        tail = Content.assemble((" 0  ", _key(live)), ("cannot tell", live))
        if more:
            tail += Content.assemble(("      m  ", _key(live)), ("other labels", live))
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
    words = Content.styled(option.text, live or look.STRONG)
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
