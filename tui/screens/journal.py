"""The journal: what was recorded, newest first, entry by entry and as a story."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget

from tui import look
from tui.errands.about import about_what
from tui.messages import LookAtJournal, LookAtStory, OpenRequest, Tell
from tui.past import JournalAsked, JournalLine
from tui.scene import Scene
from tui.screens.dialogs import Choose
from tui.screens.frame import Frame
from tui.widgets.picture import Picture
from tui.widgets.rows import Rows
from tui.words import plant, say

AGAIN_S: Final = 1.0
"""Time between two looks while the newest entries are followed, s."""


class JournalRows(Rows):
    """One row an entry."""

    def empty(self, scene: Scene) -> str:
        """See Rows."""
        return say("journal.none" if scene.past.journal.head_seq else "journal.coming")

    def rows(self, scene: Scene, width: int) -> Sequence[tuple[str, Content]]:
        """See Rows."""
        return [(str(x.seq), _row(x, width)) for x in scene.past.journal.lines]


def _row(line: JournalLine, width: int) -> Content:
    when = f"{line.at.astimezone():%H:%M:%S}" if line.at else ""
    wide = width >= 100
    who = plant(line.cell_id) if line.cell_id else ""
    return look.columns(
        (Content.styled(f"{line.seq:>6}", look.DIM), 7),
        (Content.styled(when, look.DIM), 9),
        (Content.styled(line.kind, look.CALM), 18 if wide else 0),
        (Content.styled(who, look.STRONG), 11),
        (Content.styled(line.person, look.CALM), 14 if wide else 0),
        (line.text, width - (59 if wide else 27)),
    )


class Entry(Picture):
    """The chosen entry in full, then its story if one was asked for."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.chosen = ""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        journal = scene.past.journal
        line = next((x for x in journal.lines if str(x.seq) == self.chosen), None)
        if line is None:
            return []
        if journal.story:
            return self._cut(_story(journal.story, width), width)
        when = f"{line.at.astimezone():%Y-%m-%d %H:%M:%S.%f}" if line.at else "-"
        head = Content.assemble(
            (f" #{line.seq} ", look.STRONG), (f"{line.kind}  ", look.CALM), when
        )
        lines = [head]
        lines += [Content(" ") + x for x in Content(line.text).wrap(max(20, width - 2))]
        lines.append(Content.styled(f" {line.hash[:32]}", look.DIM))
        lines += [Content(f" {text}") for text in _readable(line.payload_json)]
        return self._cut(lines, width)

    def _cut(self, lines: Sequence[Content], width: int) -> list[Content]:
        """What there is room for, and how much more there is."""
        room = max(4, self.size.height or 4)
        shown = [look.cut(line, width) for line in lines[:room]]
        if len(lines) > room:
            more = say("journal.more", count=len(lines) - room + 1)
            shown[-1] = look.cut(f" {more}", width).stylize(look.DIM)
        return shown

    def get_content_height(
        self, container: object, viewport: object, width: int
    ) -> int:
        """The room it is given: it does not ask for more."""
        return 4


def _story(story: Sequence[str], width: int) -> list[Content]:
    lines = [Content.styled(f" {say('journal.story')}", look.STRONG)]
    for told in story:
        parts = Content(told).wrap(max(20, width - 4))
        lines += [Content("  " if n else " ") + part for n, part in enumerate(parts)]
    return lines


def _readable(payload_json: str) -> list[str]:
    """The fields of an entry, a line each, nested ones with dots."""
    try:
        content = json.loads(payload_json)
    except ValueError:
        return [payload_json]
    lines: list[str] = []

    def walk(prefix: str, part: object) -> None:
        if isinstance(part, dict):
            for name, inner in part.items():
                walk(f"{prefix}.{name}" if prefix else str(name), inner)
        else:
            text = part if isinstance(part, str) else json.dumps(part)
            lines.append(f"{prefix:<28} {text[:200]}")

    walk("", content)
    return lines


class JournalScreen(Frame):
    """Filters by cell, kind, person and request; follows the newest until one moves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,e", "explain", "keys.explain"),
        Binding("c", "cell", "keys.by_cell"),
        Binding("t", "kind", "keys.by_kind"),
        Binding("p", "person", "keys.by_person"),
        Binding("r", "about", "keys.by_request"),
        Binding("x", "clear", "keys.no_filter"),
        Binding("o", "open", "keys.open_case"),
        Binding("f", "follow", "keys.follow"),
        Binding("v", "check", "keys.check"),
        Binding("pagedown", "earlier", "keys.earlier"),
        Binding("pageup", "newest", "keys.newest"),
        Binding("escape,J", "leave", "keys.back"),
    ]

    def __init__(self, asked: JournalAsked | None = None) -> None:
        super().__init__()
        self._asked = asked or JournalAsked()
        self._asked_s = float("-inf")
        self._follows = asked is None
        self._scene: Scene | None = None
        self._rows = JournalRows(id="journal")
        self._entry = Entry(id="entry")

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        yield Container(self._rows, self._entry, id="pages")

    def on_mount(self) -> None:
        """Fetch the newest, and follow the chain through them."""
        self._rows.focus()
        self._fetch(check=True)

    def _fetch(self, *, check: bool = False) -> None:
        self.post_message(LookAtJournal(self._asked, check))

    def _want(self, asked: JournalAsked, *, follows: bool = False) -> None:
        self._asked, self._follows = asked, follows
        self.post_message(LookAtStory(""))
        self._fetch()

    def show(self, scene: Scene) -> None:
        """See Frame."""
        self._scene = scene
        if (
            self._follows
            and scene.board.connected
            and scene.now_s - self._asked_s >= AGAIN_S
        ):
            self._asked_s = scene.now_s
            self._fetch()
        journal = scene.past.journal
        check = journal.check or say("journal.not_checked")
        mark = ("✓" if journal.intact else "x") if journal.check else "?"
        title = f"{say('journal.title')}  {self._filters()}  {mark} {check}"
        self._rows.border_title = title
        self._entry.border_title = say("journal.entry")
        self._entry.chosen = self._rows.chosen
        super().show(scene)

    def _filters(self) -> str:
        asked = self._asked
        parts = (plant(asked.cell_id), asked.kind, asked.person, asked.about)
        said = "  ".join(part for part in parts if part) or say("journal.all")
        if asked.token:
            return f"{said}  {say('journal.earlier')}"
        return f"{said}  {say('journal.follows')}" if self._follows else said

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        del scene
        return [
            ("Enter", say("keys.explain")),
            ("c", say("keys.by_cell")),
            ("t", say("keys.by_kind")),
            ("p", say("keys.by_person")),
            ("r", say("keys.by_request")),
            ("x", say("keys.no_filter")),
            ("f", say("keys.follow")),
            ("PgDn", say("keys.earlier")),
            ("o", say("keys.open_case")),
            ("v", say("keys.check")),
            ("Esc", say("keys.back")),
            ("?", say("keys.help")),
        ]

    @property
    def _line(self) -> JournalLine | None:
        lines = self._scene.past.journal.lines if self._scene else ()
        return next((x for x in lines if str(x.seq) == self._rows.chosen), None)

    def action_explain(self) -> None:
        """Tell the story around the chosen entry; once more shows the entry again."""
        line = self._line
        told = bool(self._scene and self._scene.past.journal.story)
        if line is None:
            return
        self._follows = False
        if not told and not about_what(line.payload_json):
            self.post_message(Tell(say("journal.about_nothing")))
        self.post_message(LookAtStory("" if told else line.payload_json))

    def _choose(
        self, what: str, options: Sequence[str], take: Callable[[str], JournalAsked]
    ) -> None:
        def chosen(option: str | None) -> None:
            if option is not None:
                self._want(take(option), follows=True)

        self.app.push_screen(Choose(say(what), sorted(set(options) - {""})), chosen)

    def action_cell(self) -> None:
        """Only one cell."""
        cells = list(self._scene.board.cells) if self._scene else []
        self._choose(
            "journal.which_cell",
            cells,
            lambda cell: replace(self._asked, cell_id=cell, token=""),
        )

    def action_kind(self) -> None:
        """Only one kind of event; those in sight are offered."""
        lines = self._scene.past.journal.lines if self._scene else ()
        self._choose(
            "journal.which_kind",
            [line.kind for line in lines],
            lambda kind: replace(self._asked, kind=kind, token=""),
        )

    def action_person(self) -> None:
        """Only one person; those in sight are offered."""
        lines = self._scene.past.journal.lines if self._scene else ()
        self._choose(
            "journal.which_person",
            [line.person for line in lines],
            lambda person: replace(self._asked, person=person, token=""),
        )

    def action_about(self) -> None:
        """Only what is about the chosen entry's request or part."""
        line = self._line
        about = about_what(line.payload_json) if line is not None else ""
        if about:
            self._want(JournalAsked(about=about))
        else:
            self.post_message(Tell(say("journal.about_nothing")))

    def action_clear(self) -> None:
        """No filter."""
        self._want(JournalAsked(), follows=True)

    def action_open(self) -> None:
        """Open the request that the entry is about."""
        line = self._line
        about = about_what(line.payload_json, requests_alone=True) if line else ""
        if about:
            self.post_message(OpenRequest(about))
        else:
            self.post_message(Tell(say("cases.no_request")))

    def action_follow(self) -> None:
        """Follow the newest entries, or stand still."""
        self._follows = not self._follows
        if self._follows:
            self._want(replace(self._asked, token=""), follows=True)

    def action_check(self) -> None:
        """Follow the chain through the newest entries."""
        self._fetch(check=True)

    def action_earlier(self) -> None:
        """The page before."""
        earlier = self._scene.past.journal.earlier if self._scene else ""
        if earlier:
            self._want(replace(self._asked, token=earlier))
        else:
            self.post_message(Tell(say("journal.beginning")))

    def action_newest(self) -> None:
        """Back to the newest page."""
        self._want(replace(self._asked, token=""), follows=True)

    def action_leave(self) -> None:
        """Go back; the story is closed first."""
        if self._scene is not None and self._scene.past.journal.story:
            self.post_message(LookAtStory(""))
        else:
            self.dismiss()
