"""A list with a cursor that stays on its item while the list moves around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from tui import look
from tui.scene import Scene
from tui.widgets.picture import Picture
from tui.words import say

Row = Content | str | Callable[[], Content]
"""What a row shows, or what makes it: a row out of sight is not made."""


class Rows(Picture, can_focus=True):
    """Rows named by an id; the cursor sits on an id, not on a place.

    A list that grows above the cursor must not slip another row under a finger that is
    already on its way down.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "keys.up", show=False),
        Binding("down,j", "move(1)", "keys.down", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chosen = ""
        self._ids: tuple[str, ...] = ()

    def rows(self, scene: Scene, width: int) -> Sequence[tuple[str, Row]]:
        """The rows with their ids, top first."""
        raise NotImplementedError

    def empty(self, scene: Scene) -> str:
        """What to say when there are none."""
        raise NotImplementedError

    @property
    def chosen(self) -> str:
        """The id under the cursor, or "" when there are no rows."""
        if self._chosen in self._ids:
            return self._chosen
        return self._ids[0] if self._ids else ""

    def choose(self, row: str) -> None:
        """Put the cursor on a row."""
        self._chosen = row
        self._redraw()

    def action_move(self, step: int) -> None:
        """Move the cursor by so many rows."""
        if self._ids:
            place = self._ids.index(self.chosen) + step
            self.choose(self._ids[max(0, min(len(self._ids) - 1, place))])

    def on_focus(self) -> None:
        """Show the cursor."""
        self._redraw()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self._redraw()

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        found = self.rows(scene, width - 2)
        self.follow([row for row, _ in found])
        if not found:
            return [look.cut(f"  {self.empty(scene)}", width).stylize(look.DIM)]
        top, below = self._in_sight(len(found))
        lines = []
        for row, content in found[top : len(found) - below]:
            here = self.has_focus and row == self.chosen
            made = content() if callable(content) else content
            line = look.cut("▸ " if here else "  ", 2) + look.cut(made, width - 2)
            lines.append(line.stylize_before("on $boost") if here else line)
        if below > 0:
            text = f"  ... {say('rows.below', count=below + 1)}"
            lines[-1] = look.cut(text, width).stylize(look.DIM)
        if top > 0:
            text = f"  ... {say('rows.above', count=top + 1)}"
            lines[0] = look.cut(text, width).stylize(look.DIM)
        return lines

    def follow(self, ids: Sequence[str]) -> None:
        """Keep the cursor on its row, or near its place when the row is gone."""
        if self._chosen not in ids and self._chosen in self._ids and ids:
            place = min(self._ids.index(self._chosen), len(ids) - 1)
            self._chosen = ids[place]
        self._ids = tuple(ids)

    def _in_sight(self, rows: int) -> tuple[int, int]:
        """How many rows are above what there is room for, and how many below it."""
        most = self._most_rows()
        if rows <= most:
            return 0, 0
        place = self._ids.index(self.chosen)
        top = max(0, min(place - most // 2, rows - most))
        return top, rows - top - most

    def _most_rows(self) -> int:
        """How many rows the stylesheet leaves this list; its border is one more."""
        limit, above = self.styles.max_height, self.parent
        if limit is None:
            return max(3, self.content_size.height or 3)
        room = above.size.height if isinstance(above, Widget) else 0
        share = room or self.screen.size.height
        most = limit.value if limit.is_cells else share * limit.value / 100.0
        return max(3, int(most) - 1)
