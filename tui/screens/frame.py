"""What every screen of this terminal is: top line, banner, its own middle, keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget

from tui.scene import Scene
from tui.widgets.chrome import Banner, KeyLine, NoticeLine, TopLine
from tui.widgets.picture import Picture


class Frame(Screen[None]):
    """A whole screen; it draws scenes and posts messages, and knows nobody else."""

    # Textual declares it without ClassVar.
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012
        (0, "-narrow"),
        (120, "-wide"),
    ]

    def compose(self) -> ComposeResult:
        """Lay out what is the same everywhere."""
        yield TopLine()
        yield Banner()
        with Container(id="middle"):
            yield from self.middle()
        yield NoticeLine()
        yield KeyLine()

    def middle(self) -> Iterable[Widget]:
        """What is between the banner and the keys."""
        raise NotImplementedError

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """The keys that do something now, the most useful first."""
        raise NotImplementedError

    def show(self, scene: Scene) -> None:
        """Draw one moment."""
        for line in self.query(KeyLine):
            line.offer(self.keys(scene))
        for picture in self.query(Picture):
            picture.show(scene)
