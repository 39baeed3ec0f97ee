"""The cases behind a number of a report; each leads to its request and its clip."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from tui import look
from tui.messages import LookAtCases, LookAtJournal, OpenRequest, Tell
from tui.past import Case, CasesAsked, JournalAsked
from tui.scene import Scene
from tui.screens.frame import Frame
from tui.screens.journal import JournalScreen
from tui.widgets.rows import Rows
from tui.words import plant, say

WIDE: Final = 110
"""From so many columns on there is room for when it was, and whether it was audited."""


class CaseRows(Rows):
    """One row a case: what it was, what was said, how surely, where it came from."""

    def empty(self, scene: Scene) -> str:
        """See Rows."""
        return say("cases.none" if scene.past.cases else "cases.coming")

    def rows(self, scene: Scene, width: int) -> Sequence[tuple[str, Content]]:
        """See Rows."""
        cases = scene.past.cases
        return [(c.window_id, _row(c, width)) for c in cases.cases] if cases else []


def _row(case: Case, width: int) -> Content:
    right = case.truth == case.said
    mark, style = ("✓", look.GOOD) if right else ("x", look.BAD)
    when = f"{case.at.astimezone():%d.%m. %H:%M}" if case.at else ""
    told = say(
        "cases.row",
        truth=plant(case.truth),
        said=plant(case.said),
        sure=look.percent(case.confidence),
    )
    where = f"{plant(case.cell_id)} {case.part_id or case.cycle}"
    clip = say("cases.clip") if case.clip_id else ""
    alone = say("cases.alone") if case.alone else ""
    wide = width >= WIDE
    about = 26 if wide else 20
    beside = about + (32 if wide else 6)
    return look.columns(
        (Content.styled(mark, style), 2),
        (told, width - 2 - beside),
        (Content.styled(where, look.DIM), about),
        (Content.styled(alone, look.CALM), 10 if wide else 0),
        (Content.styled(clip, look.CALM), 6),
        (Content.styled(f"{when:>14}", look.DIM), 16 if wide else 0),
    )


class CasesScreen(Frame):
    """A list; Enter opens the request of a case, e what the journal says of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "keys.open_case"),
        Binding("e", "explain", "keys.journal_of"),
        Binding("w", "wrong", "keys.only_wrong"),
        Binding("escape", "leave", "keys.back"),
    ]

    def __init__(self, asked: CasesAsked) -> None:
        super().__init__()
        self._asked = asked
        self._scene: Scene | None = None
        self._rows = CaseRows(id="cases")

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        yield self._rows

    def on_mount(self) -> None:
        """Fetch them."""
        self._rows.focus()
        self.post_message(LookAtCases(self._asked))

    def show(self, scene: Scene) -> None:
        """See Frame."""
        self._scene = scene
        asked, found = self._asked, scene.past.cases
        which = say("cases.held_out" if asked.held_out else "cases.live")
        pair = ""
        if asked.truth:
            said = plant(asked.said)
            pair = say("cases.pair", truth=plant(asked.truth), said=said)
        shown = len(found.cases) if found else 0
        count = say("cases.count", shown=shown, total=found.total) if found else ""
        self._rows.border_title = (
            f"{say('cases.title', version=asked.version)}  {which}  {pair}  {count}"
        )
        super().show(scene)

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        del scene
        return [
            ("Enter", say("keys.open_case")),
            ("e", say("keys.journal_of")),
            ("w", say("keys.only_wrong")),
            ("Esc", say("keys.back")),
            ("?", say("keys.help")),
        ]

    @property
    def _case(self) -> Case | None:
        cases = self._scene.past.cases if self._scene else None
        found = cases.cases if cases else ()
        return next((c for c in found if c.window_id == self._rows.chosen), None)

    def action_open(self) -> None:
        """Open the request about the case: its window, its clip, who said what."""
        case = self._case
        if case is None:
            return
        if case.request_id:
            self.post_message(OpenRequest(case.request_id))
        else:
            self.post_message(Tell(say("cases.no_request")))

    def action_explain(self) -> None:
        """Show what the journal says of it."""
        case = self._case
        if case is not None:
            asked = JournalAsked(about=case.request_id or case.window_id)
            self.post_message(LookAtJournal(asked))
            self.app.push_screen(JournalScreen(asked))

    def action_wrong(self) -> None:
        """Only the mistakes, whatever they are; or this number again."""
        before = self._asked
        self._asked = CasesAsked(
            before.family,
            before.digest,
            before.version,
            before.held_out,
            wrong=not before.wrong,
        )
        self.post_message(LookAtCases(self._asked))

    def action_leave(self) -> None:
        """Go back to the report."""
        self.dismiss()
