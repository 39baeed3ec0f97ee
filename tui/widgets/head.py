"""The head of a question or clip: phrases that are whole, or give way to others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.content import Content

from tui import look
from tui.evidence import Phase, Sitting
from tui.scene import Scene
from tui.terms import Request, RequestKind
from tui.widgets.picture import Picture
from tui.widgets.reasons import in_short
from tui.words import plant, say

GAP: Final = 2
"""Blanks between two phrases: with fewer they read as one."""

LEAST_NAME: Final = 10
"""Columns left for the name of the cell, however long the right side is."""


def head(
    name: str, phrases: Sequence[tuple[int, Content]], right: Content, width: int
) -> Content:
    """A line with a name, phrases, and at its right end who or how much.

    Args:
        name: Of the cell; cut where even it does not fit.
        phrases: With the rank of each, in the order in which they are read. While there
            is no room for all, the one with the highest rank gives way.
        right: Never gives way; cut where it would leave the name no room.
        width: Columns, all of which are filled.
    """
    most = max(0, width - LEAST_NAME - GAP - 2)
    if right.cell_length > most:
        right = look.cut(right, most)
    room = max(0, width - 2 - right.cell_length - (GAP if right.cell_length else 0))
    named = Content.styled(plant(name), look.STRONG)
    if named.cell_length > room:
        named = look.cut(named, room)
    left = [phrase for phrase in phrases if phrase[1].cell_length]
    while left and named.cell_length + _columns(left) > room:
        left.remove(max(left, key=lambda phrase: phrase[0]))
    said = Content(" " * GAP).join([named, *(phrase for _, phrase in left)])
    return Content(" ") + look.cut(said, width - 2 - right.cell_length) + right + " "


def _columns(phrases: Sequence[tuple[int, Content]]) -> int:
    return sum(GAP + phrase.cell_length for _, phrase in phrases)


def about_part(request: Request) -> list[tuple[int, Content]]:
    """Part and cycle, the cycle first to give way; alone it stands for the part."""
    cycle = Content.styled(say("cell.cycle", cycle=request.cycle), look.DIM)
    if not request.part_id:
        return [(3, cycle)]
    part = Content.styled(say("cell.part", part=request.part_id), look.DIM)
    return [(3, part), (5, cycle)]


class About(Picture):
    """Which cell asks, about which part, why, and who is at it."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        sitting = scene.sitting
        if sitting is None or sitting.evidence is None:
            text = sitting.note if sitting and sitting.note else say("request.opening")
            return [Content(f" {text}"), Content("")]
        request = sitting.evidence.request
        # That the cell waits is so of nearly every question: it tells least after the
        # cycle. An audit or a question of the shift lead gives way last of all.
        phrases = [
            *about_part(request),
            _kind(request),
            (2, _at_cell(sitting, scene)),
        ]
        reason = Content.assemble(
            (f" {say('request.why')} ", look.DIM), in_short(sitting.evidence)
        )
        return [
            head(request.cell_id, phrases, _standing(sitting, scene), width),
            look.cut(reason, width),
        ]


def _kind(request: Request) -> tuple[int, Content]:
    if request.kind is RequestKind.AUDIT:
        return 1, Content.styled(say("request.audit"), look.CALM)
    if request.level > 0:
        return 1, Content.styled(say("request.for_lead"), look.ASKS)
    return 4, Content.styled(say("request.waits"), look.ASKS)


def _standing(sitting: Sitting, scene: Scene) -> Content:
    """Who is at it."""
    match sitting.phase:
        case Phase.MINE:
            return Content.styled(say("request.yours"), look.GOOD)
        case Phase.SENDING:
            return Content.styled(say("request.sending"), look.CALM)
        case Phase.UNSENT:
            return Content.styled(say("request.not_sent"), look.BAD)
        case Phase.OPENING:
            return Content.styled(say("request.being_opened"), look.DIM)
        case Phase.ENDED:
            return Content.styled(say("request.ended"), look.DIM)
        case Phase.THEIRS:
            holder = sitting.holder
            mine = holder == scene.actor.person
            holder = holder or say("request.nobody")
            by = say("request.elsewhere" if mine else "request.holder", holder=holder)
            return Content.styled(by, look.ASKS)


def _at_cell(sitting: Sitting, scene: Scene) -> Content:
    """Who stands at the cell, as far as anybody said so."""
    newest = scene.board.request(sitting.request_id)
    shown = sitting.evidence.request if sitting.evidence else None
    who = next((r.arrived_by for r in (newest, shown) if r and r.arrived_by), "")
    if not who:
        return Content("")
    mine = who == scene.actor.person
    text = say("hands.you_at_cell" if mine else "hands.person_at_cell", person=who)
    return Content.styled(text, look.GOOD)
