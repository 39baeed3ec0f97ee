"""The wall: who waits, how long, and for whom; read from across the hall, no keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from tui import look
from tui.board import Board
from tui.scene import Scene
from tui.screens.frame import Frame
from tui.screens.sheet import SheetScreen
from tui.terms import Cell, CellState
from tui.widgets.big import big
from tui.widgets.cells import waits_for
from tui.widgets.picture import Picture
from tui.words import plant, say

WAITING: Final = (CellState.ASKING, CellState.HELD)
"""States in which a cell waits for a person."""

TALL: Final = 40
"""From so many rows on, the digits are twice as large."""

WIDE: Final = 140
"""From so many columns on, the waiting cells stand in two columns."""


def waiting(board: Board) -> list[Cell]:
    """The cells that wait for a person, the one that needs one most first."""
    found = [
        c for c in board.cells.values() if c.state in WAITING or c.hold_unconfirmed
    ]
    return sorted(found, key=lambda c: (not c.hold_unconfirmed, c.since_s, c.cell_id))


class WallSum(Picture):
    """How many cells wait, and how long the first of them has."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        cells = waiting(scene.board)
        tall = self.screen.size.height >= TALL
        scale = 2 if tall and width >= WIDE else 1
        longest = max((scene.now_s - c.since_s for c in cells), default=0.0)
        style = look.ASKS if cells else look.GOOD
        count = big(str(len(cells)), scale)
        clock = big(look.countdown(longest), scale) if cells else []
        left = max(14, len(count[0]) + 4)
        lines = [
            look.columns(
                (Content.styled(f"  {row}", style), left),
                ("", 4),
                (Content.styled(clock[n] if clock else "", style), width - left - 4),
            )
            for n, row in enumerate(count)
        ]
        key = "wall.cells_wait" if cells else "wall.none_waits"
        words = look.columns(
            (Content.styled(f"  {say(key, count=len(cells))}", "bold"), left + 4),
            (
                Content.styled(say("wall.longest") if cells else "", "bold"),
                width - left - 4,
            ),
        )
        return [Content(""), *lines, words, Content("")]


class WallCells(Picture):
    """A band for each cell that waits, then the others in a few words."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        cells = waiting(scene.board)
        across = 2 if width >= WIDE and len(cells) > 1 else 1
        room = width // across - (1 if across > 1 else 0)
        others = _others(scene.board, width)
        most = max(1, (self.size.height - len(others) - 1) // 3) * across
        blocks = [self._band(cell, scene, room) for cell in cells[:most]]
        lines: list[Content] = []
        for first in range(0, len(blocks), across):
            parts = blocks[first : first + across]
            lines += [Content(" ").join(rows) for rows in zip(*parts, strict=True)]
        if len(cells) > most:
            text = say("wall.more", count=len(cells) - most)
            lines.append(look.cut(f"  {text}", width).stylize(look.BAD))
        return [*lines, *others]

    @staticmethod
    def _band(cell: Cell, scene: Scene, width: int) -> list[Content]:
        lamp = look.lamp(cell)
        since = look.countdown(scene.now_s - cell.since_s)
        request = scene.board.request(cell.request_id)
        who = request.claimed_by if request is not None else ""
        head = f"  {lamp.shape} {lamp.word:<9} {plant(cell.cell_id)}"
        band = look.columns((head, width - 12), (f"{since:>10}  ", 12))
        by = say("wall.is_at_it", person=who) if who else say("wall.nobody_yet")
        if cell.state is not CellState.ASKING:
            by = ""
        text = look.cut(f"    {by}{waits_for(cell, scene.board)}", width)
        return [
            band.stylize(f"bold $background on {lamp.band}"),
            text,
            look.cut("", width),
        ]

    def get_content_height(
        self, container: object, viewport: object, width: int
    ) -> int:
        """The room it is given: it does not ask for more."""
        return 3


def _others(board: Board, width: int) -> list[Content]:
    """The cells that need nobody, by state, a line a state."""
    lines = []
    for state, lamp in look.LAMPS.items():
        cells = [
            plant(c.cell_id)
            for c in board.cells.values()
            if c.state is state and state not in WAITING and not c.hold_unconfirmed
        ]
        if cells:
            head = Content.styled(f"  {lamp.shape} {lamp.word:<10}", lamp.style)
            lines.append(look.cut(head + Content("  ".join(cells)), width))
    return lines


class WallScreen(Frame):
    """Nothing here changes anything."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "sheet", "keys.sheet"),
        Binding("q,escape", "app.quit", "keys.quit"),
    ]

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        yield WallSum(id="sum")
        yield WallCells(id="wall")

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        del scene
        return [
            ("", say("wall.reads_only")),
            ("o", say("keys.sheet")),
            ("q", say("keys.quit")),
        ]

    def action_sheet(self) -> None:
        """Show the hand-over sheet."""
        self.app.push_screen(SheetScreen())
