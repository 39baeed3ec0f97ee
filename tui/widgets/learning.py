"""Where the learning of each family stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual.content import Content

from tui import look
from tui.board import Board
from tui.scene import Scene
from tui.terms import Learning
from tui.widgets.picture import Picture
from tui.words import LANGUAGES, WORDS, named, say


class LearningStrip(Picture):
    """Three lines a family: model and gate, what learning does, what it said last."""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        lines: list[Content] = []
        for stands in scene.board.learning.values():
            lines += _family(stands, scene.now_s, width)
        return lines or [Content.styled(f"  {say('board.nothing_learns')}", look.DIM)]


class LearningNow(LearningStrip):
    """What the learning of one family does now, and what it said last: two lines."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.family = ""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        stands = scene.board.learning.get(self.family)
        if stands is None:
            return super().draw(replace(scene, board=Board()), width)
        return _family(stands, scene.now_s, width)[1:]


def _gate(stands: Learning) -> tuple[str, str, str]:
    """The gate's state, what is said of it, and its style.

    In English the coordinator's own sentence is shown. In another language the state is
    told in words, with how far the evidence is: the sentence would be half understood.
    """
    words, style = look.gate(stands.gate)
    if WORDS.language == LANGUAGES[0] or not stands.gate:
        return stands.gate or "-", stands.gate_text or words, style
    far = {"audited": stands.gate_audited, "needed": stands.gate_needed}
    return words, say("board.evidence", **far) if stands.gate_needed else "", style


def _family(stands: Learning, now_s: float, width: int) -> list[Content]:
    version = stands.version
    model = say("board.model", version=version) if version else say("board.no_model")
    state, gate, style = _gate(stands)
    first = Content.assemble(
        (f"  {stands.family} ", look.STRONG),
        (f"{model}  ", look.CALM),
        (f"{say('board.gate')} ", look.DIM),
        (f"{state} ", style),
        (gate, look.DIM),
    )
    lines = [look.cut(first, width), look.cut(_phase(stands, now_s, width), width)]
    if stands.text:
        lines.append(look.cut(f"  {stands.text}", width).stylize(look.DIM))
    return lines


def _phase(stands: Learning, now_s: float, width: int) -> Content:
    """What learning does now, and how long that still takes."""
    examples = say("board.examples", count=stands.examples)
    if stands.phase in {"", "idle", "collecting"}:
        missing = stands.until_training
        text = say("board.up_to_date")
        if missing:
            text = say("board.until_training", count=missing)
        return Content.assemble((f"  {text}", ""), (f", {examples}", look.DIM))
    left = ""
    if stands.ends_s is not None:
        left = say("board.left", time=look.countdown(stands.ends_s - now_s))
    share = f" {look.percent(stands.progress)}"
    meter = max(8, min(40, width // 4))
    return Content.assemble(
        (f"  {named(f'phase.{stands.phase}', stands.phase)} ", look.CALM),
        look.bar(stands.progress, meter, "$accent"),
        (f"{share} {left}" if left else share, ""),
        (f", {examples}", look.DIM),
    )
