"""A widget that draws a scene, and only when the drawing has changed."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from tui.scene import Scene


class Picture(Widget):
    """Lines drawn from the scene; ten times a second is cheap when nothing changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._scene: Scene | None = None
        self._drawn: list[Content] = []

    def draw(self, scene: Scene, width: int) -> Sequence[Content | str]:
        """The lines of the scene, each at most so many cells wide."""
        raise NotImplementedError

    def show(self, scene: Scene) -> None:
        """Draw the scene, if it looks otherwise than what is on the screen."""
        self._scene = scene
        self._redraw()

    def on_resize(self) -> None:
        """Draw again at the new width."""
        self._redraw()

    def _redraw(self) -> None:
        width = self.content_size.width
        if self._scene is None or width <= 0:
            return
        drawn = [
            line if isinstance(line, Content) else Content(line)
            for line in self.draw(self._scene, width)
        ]
        before, self._drawn = self._drawn, drawn
        if len(before) != len(drawn):
            self.refresh(layout=True)
        elif any(not a.is_same(b) for a, b in zip(before, drawn, strict=True)):
            self.refresh()

    def render(self) -> Content:
        """Draw what was drawn last."""
        return Content("\n").join(self._drawn)

    def get_content_height(
        self, container: object, viewport: object, width: int
    ) -> int:
        """As many rows as there are lines."""
        return len(self._drawn)
