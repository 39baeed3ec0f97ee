"""A model's report in pictures: who was taken for whom, risk, how honest it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content

from tui import braille, look
from tui.past import Gate, Report
from tui.scene import Scene
from tui.widgets.picture import Picture
from tui.words import plant, say

LEAST_TOP: Final = 0.1
"""The risk axis reaches at least so far: a curve of nearly nothing must look so."""

CURVE_ROWS: Final = 8
"""Rows of the drawing of a curve."""


class OfReport(Picture):
    """A picture of the report that the screen has chosen."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.report: Report | None = None
        self.gate: Gate | None = None

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        del scene
        if self.report is None:
            return [look.cut(f" {say('report.none')}", width).stylize(look.DIM)]
        return self.picture(self.report, width)

    def picture(self, report: Report, width: int) -> Sequence[Content]:
        """The lines of a report that is there."""
        raise NotImplementedError


class Sentences(OfReport):
    """Whether it may serve, why, and what is certified."""

    def picture(self, report: Report, width: int) -> Sequence[Content]:
        """See OfReport."""
        lines: list[Content] = []
        if report.passed is not None:
            key = "report.passed" if report.passed else "report.refused"
            style = look.GOOD if report.passed else look.BAD
            lines.append(look.cut(Content.styled(f" {say(key)}", style), width))
        rests = say("report.rests_on", count=report.cases)
        lines.append(look.cut(Content.styled(f" {rests}", look.DIM), width))
        for reason in report.reasons:
            wrapped = Content(reason).wrap(max(10, width - 2))
            lines += [look.cut(Content(" ") + line, width) for line in wrapped]
        return lines


class Confusion(OfReport, can_focus=True):
    """What it was against what was said; each number opens its cases."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1, 0)", "keys.move", show=False),
        Binding("down", "move(1, 0)", "keys.move", show=False),
        Binding("left", "move(0, -1)", "keys.move", show=False),
        Binding("right", "move(0, 1)", "keys.move", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._at = (0, 0)

    @property
    def chosen(self) -> tuple[str, str] | None:
        """Truth and what was said under the cursor."""
        labels = self.report.labels if self.report else ()
        if not labels:
            return None
        row, column = (min(place, len(labels) - 1) for place in self._at)
        return labels[row], labels[column]

    def action_move(self, down: int, right: int) -> None:
        """Move the cursor."""
        last = len(self.report.labels) - 1 if self.report else 0
        row, column = self._at
        self._at = (
            min(last, max(0, row + down)),
            min(last, max(0, column + right)),
        )
        self._redraw()

    def on_focus(self) -> None:
        """Show the cursor."""
        self._redraw()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self._redraw()

    def picture(self, report: Report, width: int) -> Sequence[Content]:
        """See OfReport."""
        labels = report.labels
        names = [plant(label) for label in labels]
        longest = max(map(len, names), default=4) + 2
        beside = min(18, longest)
        roomy = max(8, min(16, longest))
        cell = roomy if beside + roomy * len(names) + 8 <= width else 8
        fit = max(1, (width - beside - 8) // cell)
        first = min(max(0, self._at[1] - fit // 2), max(0, len(labels) - fit))
        shown = range(first, min(len(labels), first + fit))
        head = look.columns(
            (Content.styled(f" {say('report.was_said')}", look.DIM), beside),
            *((_right(names[c][: cell - 1], cell), cell) for c in shown),
            (_right(say("report.right"), 8), 8),
        )
        lines = [look.cut(head, width)]
        deep = max(1, self.size.height - 1) if self.size.height else len(labels)
        top = min(max(0, self._at[0] - deep // 2), max(0, len(labels) - deep))
        for row, truth in list(enumerate(labels))[top : top + deep]:
            total = sum(report.confusion.get((truth, said), 0) for said in labels)
            right = report.confusion.get((truth, truth), 0)
            share = look.percent(right / total) if total else "-"
            line = look.columns(
                (Content.styled(f" {names[row]}", look.STRONG), beside),
                *((self._number(report, row, c, cell), cell) for c in shown),
                (_right(share, 8), 8),
            )
            lines.append(look.cut(line, width))
        return lines

    def _number(self, report: Report, row: int, column: int, width: int) -> Content:
        """One number: ✓ where it was right, x where it was not, · for never."""
        labels = report.labels
        count = report.confusion.get((labels[row], labels[column]), 0)
        right = row == column
        text, style = "·", look.DIM
        if count:
            text = f"{count}{'✓' if right else 'x'}"
            style = look.GOOD if right else look.BAD
        here = self.has_focus and self._at == (row, column)
        shown = f"▸{text}" if here else text
        drawn = Content.styled(f"{shown:>{width}}", style)
        return drawn.stylize("bold on $boost") if here else drawn


class RiskCurve(OfReport):
    """How often it would be wrong if its surest windows were decided alone."""

    def picture(self, report: Report, width: int) -> Sequence[Content]:
        """See OfReport."""
        axis = 7
        across = max(8, width - axis - 2)
        top = max(LEAST_TOP, max((risk for _, risk, _ in report.curve), default=0.0))
        values = [_risk_at(report, (x + 1) / (across * 2)) for x in range(across * 2)]
        envelopes = [None if v is None else (v, v) for v in values]
        drawn = braille.drawing(envelopes, (0.0, top), across, CURVE_ROWS)
        lines = []
        for row, text in enumerate(drawn):
            mark = {0: look.percent(top), CURVE_ROWS - 1: "0 %"}.get(row, "")
            lines.append(
                Content.assemble(
                    (f"{mark:>{axis - 1}} ", look.DIM),
                    ("│", look.DIM),
                    (text, "$primary"),
                )
            )
        foot = f"{'':>{axis}}└{'─' * across}"
        end = "100 %"
        scale = (
            f"{'':>{axis}} 0 %{say('report.decided_alone'):^{max(1, across - 8)}}{end}"
        )
        lines += [
            look.cut(Content.styled(foot, look.DIM), width),
            look.cut(Content.styled(scale, look.DIM), width),
        ]
        return lines + self._certified(report, width)

    def _certified(self, report: Report, width: int) -> list[Content]:
        """What the curve says at half coverage, and what is promised."""
        half = _risk_at(report, 0.5)
        lines = []
        if half is not None:
            text = say("report.at_half", risk=look.percent(half))
            lines.append(look.cut(f" {text}", width))
        if self.gate is not None and self.gate.alpha > 0.0:
            text = say("report.promise", alpha=look.percent(self.gate.alpha))
            lines.append(look.cut(f" {text}", width).stylize(look.DIM))
        return lines


def _right(text: str, width: int) -> Content:
    """A dim text at the right edge of so many cells."""
    return Content.styled(f"{text:>{width}}", look.DIM)


def _risk_at(report: Report, coverage: float) -> float | None:
    """Risk when at least this share is decided alone."""
    for covered, risk, _ in report.curve:
        if covered >= coverage - 1e-9:
            return risk
    return None


class Reliability(OfReport):
    """Whether it is right as often as it is sure."""

    def picture(self, report: Report, width: int) -> Sequence[Content]:
        """See OfReport."""
        meter = max(8, min(40, width - 34))
        head = Content.styled(
            f" {say('report.sure'):>7}{say('report.was_right'):>9}", look.DIM
        )
        lines = [look.cut(head, width)]
        for sure, right, count in reversed(report.reliability):
            lines.append(
                look.columns(
                    (f" {look.percent(sure):>7}{look.percent(right):>9}  ", 20),
                    (look.bar(right, meter, "$primary"), meter + 1),
                    (Content.styled(f"{count:>5}", look.DIM), 7),
                )
            )
        return [look.cut(line, width) for line in lines]
