"""What stands around a stored window: which it is, the labels on keys, the party."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.content import Content

from tui import look
from tui.lessons import Desk, Stage
from tui.scene import Scene
from tui.terms import Label
from tui.widgets.picture import Picture
from tui.widgets.strips import words_of
from tui.words import plant, say

KEYS: Final = 9
"""Labels on keys at once."""
COLUMN: Final = 38
"""Least width of a column of labels, in characters."""
MANY: Final = 5
"""More labels than this stand in two columns where there is room."""


class LessonAbout(Picture):
    """Which window is shown, and what the person said of the one before."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        desk = scene.teaching
        if desk is None:
            return [Content(f" {say('teach.coming')}"), Content("")]
        return [_title(desk, width), look.cut(_said(desk), width)]


def _title(desk: Desk, width: int) -> Content:
    lesson = desk.shown
    given = Content.styled(f"{say('teach.given', count=desk.given)} ", look.DIM)
    if desk.unsent and desk.unsent > 1:
        unsent = say("teach.unsent", count=desk.unsent)
        given = Content.styled(f"{unsent} ", look.ASKS)
    if lesson is None:
        text = {
            Stage.DONE: say("teach.done"),
            Stage.COMING: say("teach.reading" if desk.party.unread else "teach.coming"),
        }.get(desk.stage, say("teach.coming"))
        return look.cut(f" {text}", width - given.cell_length) + given
    part = say("teach.part", part=lesson.part_id or "-", cycle=lesson.cycle)
    title = Content.assemble(
        (f" {plant(lesson.cell_id)} ", look.STRONG), (f" {part}", look.DIM)
    )
    return look.cut(title, width - given.cell_length) + given


def _said(desk: Desk) -> Content:
    """The question; at the edge what would happen; else the word before."""
    if desk.alike is not None:
        text = say("teach.edge", count=desk.alike.count, all=desk.alike.count + 1)
        return Content.styled(f" {text}", look.ASKS)
    if desk.lesson is None:
        return Content("")
    question = Content.styled(f" {say('teach.what')}", look.CALM)
    if desk.last is None:
        return question
    before = say("teach.before", said=desk.called(desk.last))
    return question + Content.styled(f"   {before}", look.DIM)


class LabelKeys(Picture):
    """Every label on its key, always on the same one: hands learn it."""

    def __init__(self) -> None:
        super().__init__()
        self._page = 0

    @property
    def options(self) -> Sequence[Label]:
        """What keys 1 to 9 mean now."""
        labels = self._labels()
        pages = max(1, -(-len(labels) // KEYS))
        first = (self._page % pages) * KEYS
        return labels[first : first + KEYS]

    def turn(self) -> None:
        """Show the next nine labels."""
        self._page += 1
        self._redraw()

    def _labels(self) -> Sequence[Label]:
        desk = self._scene.teaching if self._scene else None
        return desk.labels if desk is not None else ()

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        desk = scene.teaching
        live = desk is not None and desk.stage in (Stage.LOOKING, Stage.EDGE)
        style = "" if live else look.DIM
        parts = [
            _key(str(n), words_of(label), look.ACTIONS[label.action], style)
            for n, label in enumerate(self.options, 1)
        ]
        parts.append(_key("0", say("request.cannot_tell"), "", style))
        if len(self._labels()) > KEYS:
            parts.append(_key("m", say("request.other_labels"), "", style))
        columns = 2 if width >= 2 * COLUMN and len(parts) > MANY else 1
        rows = -(-len(parts) // columns)
        room = width // columns
        return [
            look.columns(*((part, room) for part in parts[row::rows]))
            for row in range(rows)
        ]


def _key(key: str, text: str, action: str, style: str) -> Content:
    return Content.assemble(
        (f" {key}  ", style or "bold $accent"),
        (text, style),
        (f"  {action}" if action else "", look.DIM),
    )


class PartyProgress(Picture):
    """How far the party is, how far people agree, and who is here."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        desk = scene.teaching
        if desk is None:
            return [Content("")]
        party = desk.party
        facts = [(say("teach.left", count=party.left), look.STRONG)]
        if party.second:
            facts.append((say("teach.second", count=party.second), look.DIM))
        if party.disputed:
            facts.append((say("teach.disputed", count=party.disputed), look.ASKS))
        if party.per_minute > 0.0:
            rate = f"{party.per_minute:.0f}"
            facts.append((say("teach.pace", rate=rate), look.DIM))
        if party.percent is not None:
            facts.append((_agreed(desk), look.GOOD))
        line = Content.assemble(*((f" {text} ", style) for text, style in facts))
        others = [p for p in party.people if p != scene.actor.person]
        here = f" {say('teach.with', people=', '.join(others))}" if others else ""
        room = max(0, width - line.cell_length)
        return [look.cut(line + look.cut(Content.styled(here, look.DIM), room), width)]


def _agreed(desk: Desk) -> str:
    share = look.percent(desk.party.percent or 0.0)
    if desk.party.value is None:
        return say("teach.agreed", share=share)
    return say("teach.agreed_kappa", share=share, value=f"{desk.party.value:.2f}")
