"""The hand-over sheet: what the next shift has to know, on one page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget

from tui import look
from tui.messages import LookAtSheet
from tui.scene import Scene
from tui.screens.frame import Frame
from tui.widgets.picture import Picture
from tui.words import named, plant, say


class SheetPage(Picture):
    """Section by section; an empty one says so, for silence might be a fault."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        sheet = scene.past.sheet
        if sheet is None:
            return [Content.styled(f" {say('sheet.coming')}", look.DIM)]
        lines: list[Content] = []
        for name, told in sheet.sections:
            head = named(f"sheet.{name}", name)
            lines.append(look.cut(Content.styled(f" {head}", look.STRONG), width))
            for line in told:
                when = f"{line.at.astimezone():%H:%M}" if line.at else ""
                about = plant(line.cell_id) if line.cell_id else ""
                text = Content(line.text).wrap(max(20, width - 23))
                if not (when or about):
                    lines += [look.cut(Content("   ") + part, width) for part in text]
                    continue
                for number, part in enumerate(text):
                    first = number == 0
                    lines.append(
                        look.columns(
                            (
                                Content.styled(f"   {when if first else ''}", look.DIM),
                                9,
                            ),
                            (Content.styled(about if first else "", look.CALM), 13),
                            (part, width - 22),
                        )
                    )
            if not told:
                lines.append(Content.styled(f"   {say('sheet.nothing')}", look.DIM))
        return lines


class SheetScreen(Frame):
    """What waits, what stood still, what was changed since the shift began."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "span('hour')", "keys.hour"),
        Binding("2", "span('shift')", "keys.shift"),
        Binding("3", "span('day')", "keys.day"),
        Binding("escape,o", "leave", "keys.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._span = "shift"
        self._page = SheetPage()
        self._scroll = VerticalScroll(self._page, id="sheet")

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        yield self._scroll

    def on_mount(self) -> None:
        """Fetch the sheet."""
        self._scroll.focus()
        self.post_message(LookAtSheet(self._span))

    def show(self, scene: Scene) -> None:
        """See Frame."""
        sheet = scene.past.sheet
        title = say("sheet.title")
        if sheet is not None and sheet.from_at and sheet.until_at:
            begin, end = (at.astimezone() for at in (sheet.from_at, sheet.until_at))
            title = f"{title}  {begin:%d.%m. %H:%M} - {end:%d.%m. %H:%M}"
        self._scroll.border_title = title
        super().show(scene)

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        del scene
        return [
            ("1", say("keys.hour")),
            ("2", say("keys.shift")),
            ("3", say("keys.day")),
            ("↑↓", say("keys.scroll")),
            ("Esc", say("keys.back")),
            ("?", say("keys.help")),
        ]

    def action_span(self, span: str) -> None:
        """Another length of time."""
        self.post_message(LookAtSheet(span))

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss()
