"""The open requests, the most urgent first, with their deadlines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

from textual.content import Content

from tui import look
from tui.board import Card
from tui.scene import Scene
from tui.terms import Request, RequestKind
from tui.widgets.reasons import asked
from tui.widgets.rows import Row, Rows
from tui.words import labelled, plant, say

HURRY_S: Final = 15.0
"""With less time left than this, a deadline is shown as pressing, s."""

WIDE: Final = 100
"""From this width on there is room for the part, in characters."""


class QueueRows(Rows):
    """One row a request."""

    def empty(self, scene: Scene) -> str:
        """See Rows."""
        return say("board.nothing_asked") if scene.board.connected else ""

    def rows(self, scene: Scene, width: int) -> Sequence[tuple[str, Row]]:
        """See Rows."""
        return [
            (card.request.request_id, partial(_row, card, scene, width))
            for card in scene.board.cards
        ]


def _row(card: Card, scene: Scene, width: int) -> Content:
    request = card.request
    left_s = request.deadline_s - scene.now_s
    holder = request.claimed_by
    mine = holder == scene.actor.person
    who = say("board.you") if mine else holder or say("board.free")
    about = Content(asked(request))
    if request.level > 0:
        about = Content.assemble((say("board.shift_lead"), look.ASKS)) + about
    if request.kind is RequestKind.AUDIT:
        about = Content.styled(say("board.audit"), look.DIM)
    if request.first_by:
        about = (
            Content.styled(say("board.second", person=request.first_by), look.ASKS)
            + about
        )
    if request.pending_label:
        left = max(0, math.ceil(request.final_s - scene.now_s))
        yours = request.pending_by == scene.actor.person
        text = say(
            "board.pending_yours" if yours else "board.pending",
            person=request.pending_by,
            label=labelled(request.pending_label),
            seconds=left,
        )
        about = Content.styled(text, look.GOOD)
    requests = scene.board.requests
    name = min(20, max(len(plant(one.cell_id)) for one in requests) + 2)
    parts = min(16, max(len(one.part_id) for one in requests) + 2)
    meter, part = (12, parts) if width >= WIDE else (8, 0)
    used = 7 + meter + 2 + name + part + 10
    named = Content.styled(plant(request.cell_id), look.STRONG)
    middle = [
        (named, name),
        (Content.styled(request.part_id, look.DIM), part),
        (about, width - used),
    ]
    if card.others:
        also = Content.styled(say("board.cause", count=len(card.others)), look.ASKS)
        middle = [(named + " " + also + "  " + about, name + part + width - used)]
    return look.columns(
        (Content.styled(f"{_left(left_s):>5}", pressing(left_s)), 7),
        (time_bar(request, scene.now_s, meter), meter + 2),
        *middle,
        (Content.styled(f"{who:>9}", look.DIM if holder else look.CALM), 10),
    )


def _left(left_s: float) -> str:
    """Time left; where there are hours, seconds tell nobody anything."""
    return f"{left_s // 3600:.0f} h" if left_s >= 3600 else look.countdown(left_s)


def pressing(left_s: float) -> str:
    """The style of a deadline with so much time left, s."""
    return look.STRONG if left_s >= HURRY_S else look.BAD


def time_bar(request: Request, now_s: float, width: int) -> Content:
    """The time left of a request, as a bar that runs empty."""
    left_s = request.deadline_s - now_s
    share = left_s / request.allowed_s if request.allowed_s > 0.0 else 0.0
    style = "$error" if left_s < HURRY_S else "$warning"
    if request.kind is RequestKind.AUDIT:
        style = "$secondary"
    return look.bar(share, width, style)
