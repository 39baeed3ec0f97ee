"""Every cell: lamp, since when, what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content

from tui import look
from tui.board import Board
from tui.scene import Scene
from tui.terms import Cell, CellState
from tui.widgets.reasons import asked
from tui.widgets.rows import Row, Rows
from tui.words import both, plant, say

TILES_FROM: Final = (100, 34)
"""Columns of this widget and rows of the screen from which cells are tiles."""

MOST_TILES: Final = 12
"""More cells than this are rows even where tiles would fit."""

TILE: Final = (36, 6)
"""Least columns of a tile, and its rows with the empty one below."""


class CellRows(Rows):
    """One row or tile a cell, in the order of the configuration."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "keys.left", show=False),
        Binding("right", "move(1)", "keys.right", show=False),
    ]

    def empty(self, scene: Scene) -> str:
        """See Rows."""
        if scene.board.connected:
            return say("board.no_cell")
        why = scene.board.trouble or "..."
        return say("board.no_picture", server=scene.server, why=why)

    def rows(self, scene: Scene, width: int) -> Sequence[tuple[str, Row]]:
        """See Rows."""
        longest = max((len(plant(cell)) for cell in scene.board.cells), default=0)
        name = max(7, min(20, longest))
        return [
            (cell.cell_id, partial(_row, cell, scene, width, name))
            for cell in scene.board.cells.values()
        ]

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        cells = list(scene.board.cells.values())
        high = self.screen.size.height >= TILES_FROM[1]
        if not cells or len(cells) > MOST_TILES or width < TILES_FROM[0] or not high:
            return super().draw(scene, width)
        self.follow([cell.cell_id for cell in cells])
        across = min(len(cells), 4, width // TILE[0])
        lines: list[Content] = []
        for first in range(0, len(cells), across):
            tiles = [
                self._tile(cell, scene, width // across)
                for cell in cells[first : first + across]
            ]
            lines += [Content("").join(parts) for parts in zip(*tiles, strict=True)]
        return lines

    def _tile(self, cell: Cell, scene: Scene, width: int) -> list[Content]:
        """A block of lines, each exactly so wide, the last column and line empty."""
        room = width - 2
        here = self.has_focus and cell.cell_id == self.chosen
        lamp, since = look.lamp(cell), look.ago(scene.now_s - cell.since_s)
        loud = lamp.band != "$panel"
        ink = f"bold $background on {lamp.band}" if loud else f"{lamp.style} on $panel"
        head = f"{'▸' if here else ' '}{lamp.shape} {lamp.word}"
        band = look.columns((head, room - 9), (f"{since:>7} ", 9)).stylize(ink)
        title = look.columns(
            (Content.styled(f" {plant(cell.cell_id)}", look.STRONG), room - 22),
            (Content.styled(f"{_part(cell):>20}", look.DIM), 22),
        )
        text = waits_for(cell, scene.board)
        said = [
            Content(" ") + line.stylize(_tone(cell))
            for line in look.wrapped(text, room - 1, 2)
        ]
        counts = {"acted": cell.acted, "asked": cell.asked, "held": cell.held}
        count = f" {say('board.counts', **counts)}"
        lines = [band, title, *said, Content.styled(count, look.DIM), Content("")]
        return [look.cut(line, width) for line in lines]


def _part(cell: Cell) -> str:
    if cell.part_id:
        return say("cell.part", part=cell.part_id)
    return say("cell.cycle", cycle=cell.cycle)


def _row(cell: Cell, scene: Scene, width: int, name: int) -> Content:
    lamp = look.lamp(cell)
    since = look.ago(scene.now_s - cell.since_s)
    waits = Content.assemble((waits_for(cell, scene.board), _tone(cell)))
    return look.columns(
        (Content.styled(lamp.shape, lamp.style), 2),
        (Content.styled(lamp.word, lamp.style), 9),
        (Content.styled(plant(cell.cell_id), look.STRONG), name + 1),
        (Content.styled(f"{since:>6}", look.DIM), 8),
        (waits, width - 20 - name),
    )


def _tone(cell: Cell) -> str:
    if cell.hold_unconfirmed:
        return look.BAD
    return "" if cell.state in {CellState.ASKING, CellState.HELD} else look.DIM


def waits_for(cell: Cell, board: Board) -> str:
    """What the cell waits for, in words; first of all what is not as it looks."""
    if cell.hold_unconfirmed:
        return say("cell.unconfirmed") + _waits_for(cell, board)
    if cell.monitor_only:
        return say("cell.monitor_only") + _waits_for(cell, board)
    return _waits_for(cell, board)


def held_because(cell: Cell) -> str:
    """Why a cell is held, said once.

    What the coordinator says is about this hold; our words are about any of its kind.
    """
    reason = look.REASONS[cell.reason]
    return both(reason, cell.text) if cell.text else reason


def _waits_for(cell: Cell, board: Board) -> str:
    match cell.state:
        case CellState.ASKING:
            return _asks(cell, board)
        case CellState.HELD:
            return held_because(cell)
        case CellState.WORKING:
            return say("cell.works_on", part=_part(cell))
        case CellState.DECIDING:
            return say("cell.looks_at", part=_part(cell))
        case CellState.IDLE:
            return say("cell.released")
        case CellState.OFFLINE:
            return cell.text or say("cell.not_connected")
        case CellState.MAINTENANCE:
            return cell.text or say("cell.out_of_work")


def _asks(cell: Cell, board: Board) -> str:
    request = board.request(cell.request_id)
    if request is not None and request.claimed_by:
        person, reason = request.claimed_by, asked(request)
        return say("cell.at_it", person=person, reason=reason)
    if request is not None:
        return asked(request)
    return cell.text or say("cell.waits")
