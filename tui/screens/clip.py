"""A clip: what the cell felt at full rate, around the moment that was unclear."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import OptionList, Static

from tui import look
from tui.clip import Clip, ClipTrace, Shown
from tui.messages import CloseClip, ExportClip, HoldCell
from tui.scene import Scene
from tui.screens.frame import Frame
from tui.widgets.clip_strips import ClipStrips
from tui.widgets.deadline import Deadline
from tui.widgets.head import about_part, head
from tui.widgets.picture import Picture
from tui.words import say

PICKS: Final = 400
"""Lines that may be picked from; a plant's own types may have thousands."""


class ClipAbout(Picture):
    """Whose clip, how much of it, and what is missing."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        shown = scene.clip
        if shown is None:
            return [Content(""), Content("")]
        sitting = scene.sitting
        asked = sitting.evidence.request if sitting and sitting.evidence else None
        cell = asked.cell_id if asked else shown.clip.cell_id if shown.clip else ""
        phrases = [*(about_part(asked) if asked else []), (4, _facts(shown.clip))]
        size = Content.styled(_megabytes(shown), look.DIM)
        return [
            head(cell, phrases, size, width),
            look.cut(_state(shown), width),
        ]


def _facts(clip: Clip | None) -> Content:
    if clip is None:
        return Content("")
    seconds = f"{clip.last_s - clip.first_s:.1f}"
    text = say("clip.facts", seconds=seconds, messages=clip.messages)
    return Content.styled(text, look.CALM)


def _megabytes(shown: Shown) -> str:
    if not shown.of_bytes:
        return ""
    whole = f"{shown.of_bytes / 1e6:.1f} MB"
    here = f"{shown.bytes / 1e6:.1f}"
    return whole if shown.clip else say("clip.of", here=here, whole=whole)


def _state(shown: Shown) -> Content:
    """What is in the way, or what is not in the picture."""
    if shown.note:
        return Content.styled(f" {shown.note}", look.BAD)
    clip = shown.clip
    if clip is None:
        return Content.styled(f" {say('clip.coming')}", look.DIM)
    said = []
    if not clip.whole:
        said.append(say("clip.not_whole"))
    said += [
        say("clip.undrawn", topic=topic, count=count) for topic, count in clip.undrawn
    ]
    if said:
        return Content.styled(f" {'; '.join(said)}", look.ASKS)
    return Content.styled(f" {say('clip.marked')}", look.DIM)


class ClipScreen(Frame):
    """Looking changes nothing: the claim stays, the deadline goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pick", "keys.pick"),
        Binding("e", "export", "keys.export"),
        Binding("h", "hold", "keys.hold"),
        Binding("escape,c", "close", "keys.to_question"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._scene: Scene | None = None
        self._strips = ClipStrips(id="clip")
        self._picked: frozenset[str] | None = None
        self._clip: Clip | None = None

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        yield ClipAbout()
        yield self._strips
        yield Deadline()

    def on_mount(self) -> None:
        """Let the arrows move through the clip."""
        self._strips.focus()

    def show(self, scene: Scene) -> None:
        """See Frame."""
        self._scene = scene
        super().show(scene)
        shown = scene.clip
        clip = shown.clip if shown else None
        if clip is not self._clip:
            self._clip, self._picked = clip, None
        chosen = self._chosen(shown) if shown else ()
        self._strips.show_clip(clip, chosen)

    def _chosen(self, shown: Shown) -> tuple[ClipTrace, ...]:
        """What is drawn: what was picked, or the channels; the most telling first."""
        traces = tuple(_ranked(shown))
        if self._picked is not None:
            return tuple(t for t in traces if t.name in self._picked)
        channels = tuple(trace for trace in traces if trace.channel)
        return channels or traces

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        del scene
        return [
            ("←→", say("keys.time")),
            ("+ -", say("keys.zoom")),
            ("w", say("keys.window")),
            ("↑↓", say("keys.channels")),
            ("p", say("keys.pick_short")),
            ("e", say("keys.export_short")),
            ("h", say("keys.hold_short")),
            ("Esc", say("keys.back")),
        ]

    def action_pick(self) -> None:
        """Ask which channels to draw."""
        shown = self._scene.clip if self._scene else None
        if shown is None or shown.clip is None:
            return
        names = [trace.name for trace in _ranked(shown)][:PICKS]
        drawn = {trace.name for trace in self._chosen(shown)}
        self.app.push_screen(Pick(names, frozenset(drawn)), self._pick)

    def _pick(self, picked: frozenset[str] | None) -> None:
        if picked:
            self._picked = picked
            if self._scene is not None:
                self.show(self._scene)

    def action_export(self) -> None:
        """Save it as a file."""
        self.post_message(ExportClip())

    def action_hold(self) -> None:
        """Pull the cord of the cell whose clip this is."""
        clip = self._clip
        sitting = self._scene.sitting if self._scene else None
        if sitting is not None and sitting.evidence is not None:
            self.post_message(HoldCell(sitting.evidence.request.cell_id))
        elif clip is not None and clip.cell_id:
            self.post_message(HoldCell(clip.cell_id))

    def action_close(self) -> None:
        """Go back to the question."""
        self.post_message(CloseClip())


def _ranked(shown: Shown) -> list[ClipTrace]:
    """The most telling channel first, then the others as they are in the clip."""
    if shown.clip is None:
        return []
    places = {name: place for place, name in enumerate(shown.order)}
    return sorted(
        shown.clip.traces, key=lambda trace: places.get(trace.name, len(places))
    )


class Pick(ModalScreen[frozenset[str] | None]):
    """Which channels to draw; a mark, and no colour, says which are."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pick_one", "keys.pick_one", priority=True),
        Binding("p,escape", "done", "keys.draw"),
        Binding("a", "toggle_all", "keys.all_or_none"),
    ]

    def __init__(self, names: Sequence[str], drawn: frozenset[str]) -> None:
        super().__init__()
        self._names = tuple(names)
        self._drawn = set(drawn)
        self._list = OptionList(*map(self._row, names))

    def _row(self, name: str) -> Content:
        return Content(f"{'■' if name in self._drawn else '□'} {name}")

    def compose(self) -> ComposeResult:
        """The list, and its keys."""
        with Container(classes="dialog pick"):
            yield self._list
            yield Static(Content.styled(say("clip.pick_keys"), look.DIM))

    def on_mount(self) -> None:
        """Let the keys reach the list."""
        self._list.focus()
        self._list.highlighted = 0

    def on_option_list_option_selected(self) -> None:
        """Enter picks as space does."""
        self.action_pick_one()

    def action_pick_one(self) -> None:
        """Pick the channel under the cursor, or leave it out."""
        place = self._list.highlighted
        if place is not None:
            self._drawn ^= {self._names[place]}
            self._show()

    def action_toggle_all(self) -> None:
        """Pick all; none when all are."""
        everything = self._drawn >= set(self._names)
        self._drawn = set() if everything else set(self._names)
        self._show()

    def _show(self) -> None:
        for place, name in enumerate(self._names):
            self._list.replace_option_prompt_at_index(place, self._row(name))

    def action_done(self) -> None:
        """Draw what is picked; nothing picked changes nothing."""
        self.dismiss(frozenset(self._drawn))
