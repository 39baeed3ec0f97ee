"""One request: what the cell felt, what the model makes of it, what a person says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget

from tui import look
from tui.evidence import Phase, Sitting
from tui.messages import (
    Arrive,
    HandOver,
    HoldCell,
    LeaveRequest,
    OnlyThis,
    OpenClip,
    OpenNext,
    Say,
    Skip,
    TakeOver,
    Tell,
    Undo,
)
from tui.scene import Scene
from tui.screens.frame import Frame
from tui.widgets.answers import Answers
from tui.widgets.deadline import Deadline
from tui.widgets.head import About
from tui.widgets.picture import Picture
from tui.widgets.reasons import reasons
from tui.widgets.strips import Strips
from tui.words import labelled, plant, say

MOST_LINES: Final = 9
"""Lines of reasons: the traces need the rest of the screen."""


NAMED: Final = 8
"""Cells of one cause that are named: more would push the traces off the screen."""


class Beside(Picture):
    """What else is known of the reasons. Only where there is room."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        evidence = scene.sitting.evidence if scene.sitting else None
        if evidence is None:
            return []
        lines = [
            look.cut(line.stylize(style), width)
            for text, style in reasons(evidence)
            for line in Content(text).wrap(max(1, width))
        ]
        return lines[:MOST_LINES]


class ForWhom(Picture):
    """Which cells an answer is for, when it is for several."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        sitting = scene.sitting
        if sitting is None or len(sitting.group) < 2 or sitting.phase is Phase.ENDED:
            return []
        cells = {mate.request_id: plant(mate.cell_id) for mate in sitting.group}
        key = "cause.for_all" if sitting.together else "cause.for_one"
        named = ", ".join([*cells.values()][:NAMED])
        if len(cells) > NAMED:
            named = say("cause.more", cells=named, count=len(cells) - NAMED)
        text = say(
            key,
            cells=named,
            cell=cells.get(sitting.request_id, ""),
            count=len(cells) - 1,
        )
        lines = Content(text).wrap(max(1, width - 2))
        style = "bold $background on $warning"
        return [look.cut(Content(" ") + line, width).stylize(style) for line in lines]


class Note(Picture):
    """What stands in the way of an answer, in one sentence and with the key for it."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        sitting = scene.sitting
        if sitting is None:
            return []
        text, style = _obstacle(sitting)
        return [look.cut(f" {text}", width).stylize(style)] if text else []


def _clip_id(scene: Scene) -> str:
    """The clip of the open request; "" while there is none."""
    sitting = scene.sitting
    if sitting is None:
        return ""
    # The board hears of a clip that came later than the evidence.
    newest = scene.board.request(sitting.request_id)
    shown = sitting.evidence.request if sitting.evidence else None
    return next((r.clip_id for r in (newest, shown) if r and r.clip_id), "")


def _obstacle(sitting: Sitting) -> tuple[str, str]:
    """The sentence and its style."""
    said = labelled(sitting.label) if sitting.label else say("request.cannot_tell")
    match sitting.phase:
        case Phase.UNSENT:
            return say("request.unsent", said=said), "bold $background on $error"
        case Phase.THEIRS:
            return f"{sitting.note} {say('request.take_over')}".strip(), look.ASKS
        case Phase.ENDED:
            return sitting.note, look.CALM
        case _:
            return sitting.note, look.ASKS


class RequestScreen(Frame):
    """Opening it claims the request; leaving it gives the claim back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(n), f"say({n - 1})", "keys.answer", show=False)
            for n in range(1, 5)
        ),
        Binding("0", "cannot_tell", "request.cannot_tell"),
        Binding("m", "more", "request.other_labels"),
        Binding("t", "take_over", "keys.take_over"),
        Binding("i", "arrive", "keys.arrive"),
        Binding("s", "skip", "keys.skip"),
        Binding("g", "hand_over", "keys.hand_over"),
        Binding("o", "only_this", "keys.only_one"),
        Binding("n", "alike", "keys.alike"),
        Binding("c", "clip", "keys.clip"),
        Binding("h", "hold", "keys.hold"),
        Binding("enter", "next", "keys.next_question"),
        Binding("escape", "leave", "keys.back"),
        Binding("u", "undo", "keys.undo"),
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
        yield ForWhom()
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
        hold = ("h", say("keys.hold"))
        back, help_ = ("Esc", say("keys.board")), ("?", say("keys.help"))
        clip = [("c", say("keys.clip_short"))] if _clip_id(scene) else []
        match phase:
            case Phase.ENDED:
                return [("Enter", say("keys.next_question")), *clip, back, hold, help_]
            case Phase.THEIRS:
                return [("t", say("keys.take_over")), *clip, back, hold, help_]
            case Phase.UNSENT:
                return [("Esc", say("keys.drop")), hold, help_]
            case _:
                turn = self._strips.can_turn
                alike = [("n", say("keys.alike_short"))] if turn else []
                return [
                    ("1-4", say("keys.answer")),
                    ("0", say("keys.cannot")),
                    ("m", say("keys.more")),
                    ("h", say("keys.hold_short")),
                    *clip,
                    *alike,
                    back,
                    ("i", say("keys.arrive_short")),
                    ("s", say("keys.skip_short")),
                    ("g", say("keys.hand_over_short")),
                    ("↑↓", say("keys.channels")),
                    help_,
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
            self.post_message(Tell(say("request.not_yours"), bad=True))
        elif sitting.phase is Phase.OPENING:
            self.post_message(Tell(say("request.not_yet")))

    def action_more(self) -> None:
        """Show other labels on keys 1 to 4."""
        self._answers.turn()

    def action_take_over(self) -> None:
        """Take the request from whoever holds it."""
        self.post_message(TakeOver())

    def action_alike(self) -> None:
        """Show the next most alike example in the place of the window, or the window.

        Where there is room they stand beside it already.
        """
        if not self._strips.turn():
            self.post_message(Tell(say("request.no_alike")))

    def action_clip(self) -> None:
        """Look at the full-rate recording, when it is here."""
        clip_id = _clip_id(self._scene) if self._scene else ""
        if clip_id:
            self.post_message(OpenClip(clip_id))
        else:
            self.post_message(Tell(say("request.no_clip")))

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

    def action_arrive(self) -> None:
        """Say that the person stands at the cell."""
        self.post_message(Arrive())

    def action_skip(self) -> None:
        """Leave the request to others first."""
        if self._may_pass_on():
            self.post_message(Skip())

    def action_hand_over(self) -> None:
        """Give the request to somebody who is here."""
        if self._may_pass_on():
            self.post_message(HandOver())

    def _may_pass_on(self) -> bool:
        """Whether the person holds the request; says so when not."""
        sitting = self._scene.sitting if self._scene else None
        phase = sitting.phase if sitting else Phase.OPENING
        if phase is Phase.THEIRS:
            self.post_message(Tell(say("request.not_yours"), bad=True))
        elif phase is Phase.OPENING:
            self.post_message(Tell(say("request.not_yet")))
        return phase is Phase.MINE

    def action_only_this(self) -> None:
        """Answer this one alone, or all of its cause again."""
        self.post_message(OnlyThis())

    def action_undo(self) -> None:
        """Take the last answer back."""
        self.post_message(Undo())
