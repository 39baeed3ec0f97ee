"""Time left for one request, and what happens when it has passed."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui import look
from tui.scene import Scene
from tui.terms import Request, RequestKind, TimeoutOutcome
from tui.widgets.picture import Picture
from tui.widgets.queue import pressing, time_bar
from tui.words import say


class Deadline(Picture):
    """One line: clock, bar, consequence."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        sitting = scene.sitting
        if sitting is None or sitting.evidence is None:
            return [Content("")]
        shown = sitting.evidence.request
        # The board hears of every change; the evidence was fetched once.
        request = scene.board.request(sitting.request_id) or shown
        left_s = request.deadline_s - scene.now_s
        then = consequence(request)
        meter = max(10, width - len(then) - 14)
        return [
            look.columns(
                (Content.styled(f" {look.countdown(left_s):>5} ", pressing(left_s)), 8),
                (time_bar(request, scene.now_s, meter), meter + 1),
                (Content.styled(then, look.DIM), width - meter - 9),
            )
        ]


def consequence(request: Request) -> str:
    """What happens when nobody answers."""
    if request.kind is RequestKind.AUDIT:
        return say("deadline.audit")
    if request.on_timeout is TimeoutOutcome.REJECT:
        return say("deadline.reject")
    return say("deadline.hold")
