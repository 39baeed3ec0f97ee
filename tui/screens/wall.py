"""The wall: who waits, how long, and for whom; read from across the hall, no keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from tui import look
from tui.board import Board
from tui.messages import LookAtTeams
from tui.scene import Scene
from tui.screens.frame import Frame
from tui.screens.sheet import SheetScreen
from tui.terms import Cell, CellState
from tui.widgets.big import big
from tui.widgets.cells import waits_for
from tui.widgets.picture import Picture
from tui.widgets.reasons import asked
from tui.widgets.teams import TeamBoard
from tui.words import plant, say

WAITING: Final = (CellState.ASKING, CellState.HELD)
"""States in which a cell waits for a person."""

TEAMS_S: Final = 60.0
"""Time between two looks at what teams caught, s."""

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
        scale = 2 if _roomy(self) else 1
        longest = max((scene.now_s - c.since_s for c in cells), default=0.0)
        away = {CellState.OFFLINE, CellState.MAINTENANCE}
        well = all(c.state not in away for c in scene.board.cells.values())
        style = look.ASKS if cells else look.GOOD if well else look.DIM
        count = big(str(len(cells)), scale)
        clock = big(look.countdown(longest), scale) if cells else [""] * len(count)
        left = max(18, len(count[0]) + 8 * scale)
        lines = [
            look.columns(
                (Content.styled(f"  {digits}", style), left),
                (Content.styled(f"  {time}", look.STRONG), width - left),
            )
            for digits, time in zip(count, clock, strict=True)
        ]
        key = "wall.cells_wait" if cells else "wall.none_waits"
        words = look.columns(
            (Content.styled(f"  {say(key, count=len(cells))}", "bold"), left),
            (
                Content.styled(f"  {say('wall.longest')}" if cells else "", "bold"),
                width - left,
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
        deep = max(3, self.size.height - len(others) - 1)
        tall = _roomy(self) and 5 * -(-len(cells) // across) <= deep
        rows = 5 if tall else 3
        most = max(1, deep // rows) * across
        blocks = [_band(cell, scene, room, tall=tall) for cell in cells[:most]]
        lines: list[Content] = []
        for first in range(0, len(blocks), across):
            parts = blocks[first : first + across]
            lines += [Content(" ").join(row) for row in zip(*parts, strict=True)]
        if len(cells) > most:
            text = say("wall.more", count=len(cells) - most)
            lines.append(look.cut(f"  {text}", width).stylize(look.BAD))
        return [*lines, *others]

    def get_content_height(
        self, container: object, viewport: object, width: int
    ) -> int:
        """The room it is given: it does not ask for more."""
        return 3


def _roomy(picture: Picture) -> bool:
    """Whether the screen has room for larger signs."""
    columns, rows = picture.screen.size
    return rows >= TALL and columns >= WIDE


def _band(cell: Cell, scene: Scene, width: int, *, tall: bool) -> list[Content]:
    """A coloured band with shape and word, how long, and below what it waits for."""
    lamp = look.lamp(cell)
    since = look.countdown(scene.now_s - cell.since_s)
    head = f"  {lamp.shape} {lamp.word:<9} {plant(cell.cell_id)}"
    ink = f"bold $background on {lamp.band}"
    bands = [look.columns((head, width - 12), (f"{since:>10}  ", 12))]
    if tall:
        bands = [look.cut("", width), *bands, look.cut("", width)]
    text = look.cut(f"    {_reason(cell, scene.board)}", width)
    return [*(band.stylize(ink) for band in bands), text, look.cut("", width)]


def _reason(cell: Cell, board: Board) -> str:
    """Who is at it, and what it waits for."""
    request = board.request(cell.request_id)
    if cell.state is not CellState.ASKING or request is None:
        return waits_for(cell, board)
    holder = request.claimed_by
    by = say("wall.is_at_it", person=holder) if holder else say("wall.nobody_yet")
    return f"{by}{asked(request)}"


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

    def __init__(self) -> None:
        super().__init__()
        self._asked_s = float("-inf")

    def show(self, scene: Scene) -> None:
        """See Frame; what teams caught is looked at now and then."""
        if scene.board.connected and scene.now_s - self._asked_s >= TEAMS_S:
            self._asked_s = scene.now_s
            self.post_message(LookAtTeams())
        super().show(scene)

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        yield WallSum(id="sum")
        yield WallCells(id="wall")
        yield TeamBoard(id="teams")

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
