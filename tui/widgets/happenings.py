"""What happened lately, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui import look
from tui.scene import Scene
from tui.widgets.picture import Picture
from tui.words import plant


class Happenings(Picture):
    """As many lines of the recent past as there is room for."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        happenings = scene.board.happenings[: max(1, self.size.height)]
        return [
            look.columns(
                (Content.styled(f"{look.ago(scene.now_s - h.at_s):>8}", look.DIM), 10),
                (Content.styled(plant(h.what), look.STRONG), 11),
                (h.text, width - 21),
            )
            for h in happenings
        ]

    def get_content_height(
        self, container: object, viewport: object, width: int
    ) -> int:
        """The room it is given: it does not ask for more."""
        return 1
