"""One request: what the cell felt, what the model makes of it, what a person says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget

from tui import look
from tui.evidence import Phase, Sitting
from tui.messages import (
    HoldCell,
    LeaveRequest,
    OpenClip,
    OpenNext,
    Say,
    TakeOver,
    Tell,
    Undo,
)
from tui.scene import Scene
from tui.screens.frame import Frame
from tui.terms import Request, RequestKind
from tui.widgets.answers import Answers
from tui.widgets.deadline import Deadline
from tui.widgets.picture import Picture
from tui.widgets.strips import Strips


class About(Picture):
    """Which cell asks, about which part, why, and who is at it."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        sitting = scene.sitting
        if sitting is None or sitting.evidence is None:
            text = sitting.note if sitting and sitting.note else "..."
            return [Content(f" {text}"), Content("")]
        request = sitting.evidence.request
        title = Content.assemble(
            (f" {request.cell_id} ", look.STRONG),
            (f" part {request.part_id or '-'}  cycle {request.cycle}  ", look.DIM),
            _kind(request),
        )
        state = _standing(sitting, scene)
        reason = Content.assemble((" why ", look.DIM), sitting.evidence.reason)
        return [
            look.cut(title, width - state.cell_length - 1) + state,
            look.cut(reason, width),
        ]


class Beside(Picture):
    """What else is known: novelty, most alike examples. Only where there is room."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        evidence = scene.sitting.evidence if scene.sitting else None
        if evidence is None:
            return []
        if not evidence.beliefs:
            return [look.cut("No model serves yet: it learns from you.", width)]
        lines = []
        if evidence.novelty == evidence.novelty:
            style = look.DIM if evidence.novelty <= 1.0 else look.ASKS
            word = "familiar" if evidence.novelty <= 1.0 else "never seen like this"
            text = f"novelty {evidence.novelty:.2f} of 1.00: {word}"
            lines.append(look.cut(Content.styled(text, style), width))
        for label, distance in evidence.nearest[:2]:
            text = f"most alike: {label} at {distance:.2f}"
            lines.append(look.cut(Content.styled(text, look.DIM), width))
        return lines


class Note(Picture):
    """What stands in the way of an answer, in one sentence and with the key for it."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        sitting = scene.sitting
        if sitting is None:
            return []
        text, style = _obstacle(sitting)
        return [look.cut(f" {text}", width).stylize(style)] if text else []


def _kind(request: Request) -> Content:
    if request.kind is RequestKind.AUDIT:
        return Content.styled("audit: the cell went on", look.CALM)
    if request.level > 0:
        return Content.styled("question for the shift lead", look.ASKS)
    return Content.styled("the cell waits", look.ASKS)


def _clip_id(scene: Scene) -> str:
    """The clip of the open request; "" while there is none."""
    sitting = scene.sitting
    if sitting is None:
        return ""
    # The board hears of a clip that came later than the evidence.
    newest = scene.board.request(sitting.request_id)
    shown = sitting.evidence.request if sitting.evidence else None
    return next((r.clip_id for r in (newest, shown) if r and r.clip_id), "")


def _standing(sitting: Sitting, scene: Scene) -> Content:
    """Who is at it."""
    match sitting.phase:
        case Phase.MINE:
            return Content.styled("yours ", look.GOOD)
        case Phase.SENDING:
            return Content.styled("sending ", look.CALM)
        case Phase.UNSENT:
            return Content.styled("NOT SENT ", look.BAD)
        case Phase.OPENING:
            return Content.styled("opening ", look.DIM)
        case Phase.ENDED:
            return Content.styled("ended ", look.DIM)
        case Phase.THEIRS:
            holder = sitting.holder
            mine = holder == scene.actor.person
            by = "yours elsewhere" if mine else f"{holder or 'nobody'} has it"
            return Content.styled(f"{by} ", look.ASKS)


def _obstacle(sitting: Sitting) -> tuple[str, str]:
    """The sentence and its style."""
    said = sitting.label or "cannot tell"
    match sitting.phase:
        case Phase.UNSENT:
            text = (
                f"NOT SENT: '{said}'. It is sent when the link is back. Esc drops it."
            )
            return text, "bold $background on $error"
        case Phase.THEIRS:
            return f"{sitting.note} Press t to take it over.".strip(), look.ASKS
        case Phase.ENDED:
            return sitting.note, look.CALM
        case _:
            return sitting.note, look.ASKS


class RequestScreen(Frame):
    """Opening it claims the request; leaving it gives the claim back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"say({n - 1})", "answer", show=False) for n in range(1, 5)),
        Binding("0", "cannot_tell", "cannot tell"),
        Binding("m", "more", "other labels"),
        Binding("t", "take_over", "take over"),
        Binding("c", "clip", "full-rate clip"),
        Binding("h", "hold", "hold the cell"),
        Binding("enter", "next", "next question"),
        Binding("escape", "leave", "back to the board"),
        Binding("u", "undo", "undo"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._scene: Scene | None = None
        self._strips = Strips(id="strips")
        self._answers = Answers()

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        yield About()
        with Container(id="evidence"):
            yield self._strips
            with Container(id="said"):
                yield self._answers
                yield Beside()
        yield Note()
        yield Deadline()

    def on_mount(self) -> None:
        """Let up and down move through the channels."""
        self._strips.focus()

    def show(self, scene: Scene) -> None:
        """See Frame."""
        self._scene = scene
        super().show(scene)
        sitting = scene.sitting
        self._strips.show_evidence(sitting.evidence if sitting else None)

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        phase = scene.sitting.phase if scene.sitting else Phase.OPENING
        hold = ("h", "hold the cell")
        back = ("Esc", "board")
        clip = [("c", "clip")] if _clip_id(scene) else []
        match phase:
            case Phase.ENDED:
                return [("Enter", "next question"), *clip, back, hold, ("?", "help")]
            case Phase.THEIRS:
                return [("t", "take over"), *clip, back, hold, ("?", "help")]
            case Phase.UNSENT:
                return [("Esc", "drop the answer"), hold, ("?", "help")]
            case _:
                return [
                    ("1-4", "answer"),
                    ("0", "can't tell"),
                    ("m", "more"),
                    ("h", "hold"),
                    *clip,
                    ("↑↓", "channels"),
                    back,
                    ("?", "help"),
                ]

    def action_say(self, place: int) -> None:
        """Give the answer in that place."""
        options = self._answers.options
        if place < len(options):
            self._post(options[place].label)

    def action_cannot_tell(self) -> None:
        """Pass the request on to the shift lead."""
        self._post("")

    def _post(self, label: str) -> None:
        sitting = self._scene.sitting if self._scene else None
        if sitting is None or sitting.phase is Phase.MINE:
            self.post_message(Say(label))
        elif sitting.phase is Phase.THEIRS:
            self.post_message(
                Tell("It is not yours: press t to take it over.", bad=True)
            )
        elif sitting.phase is Phase.OPENING:
            self.post_message(Tell("Not yet: the request is still being opened."))

    def action_more(self) -> None:
        """Show other labels on keys 1 to 4."""
        self._answers.turn()

    def action_take_over(self) -> None:
        """Take the request from whoever holds it."""
        self.post_message(TakeOver())

    def action_clip(self) -> None:
        """Look at the full-rate recording, when it is here."""
        clip_id = _clip_id(self._scene) if self._scene else ""
        if clip_id:
            self.post_message(OpenClip(clip_id))
        else:
            self.post_message(Tell("There is no clip of this question, or not yet."))

    def action_hold(self) -> None:
        """Pull the cord of the cell that asks."""
        sitting = self._scene.sitting if self._scene else None
        if sitting is not None and sitting.evidence is not None:
            self.post_message(HoldCell(sitting.evidence.request.cell_id))

    def action_next(self) -> None:
        """Go on when this one has ended."""
        sitting = self._scene.sitting if self._scene else None
        if sitting is None or sitting.phase is Phase.ENDED:
            self.post_message(OpenNext())

    def action_leave(self) -> None:
        """Go back to the board."""
        self.post_message(LeaveRequest())

    def action_undo(self) -> None:
        """Take the last answer back."""
        self.post_message(Undo())
