"""The figures of a report, drawn: what each shows, in a picture and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from coordinator.insight.whatif import svg
from coordinator.insight.whatif.figures import Bin, Block
from coordinator.insight.whatif.sweep import Swept
from coordinator.learning.validation.metrics import RiskPoint

LEAST_RISK: Final = 0.02
"""Top of a risk axis at least: a flat line at zero is drawn at the bottom."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture and what it tells.

    Attributes:
        title: What it is.
        picture: SVG.
        told: What it says, in a sentence or two.
    """

    title: str
    picture: str
    told: str


def share(value: float | None) -> str:
    """A share for people; "none" where there is none."""
    return "none" if value is None else f"{value * 100:.1f} %"


def risk_coverage(
    points: Sequence[RiskPoint], now: tuple[float, float] | None
) -> Drawing:
    """The risk-coverage curve, with the place of this run on it."""
    title = "Risk at coverage"
    top = max([LEAST_RISK, *(point.risk for point in points)]) * 1.1
    frame = svg.Frame(
        svg.Axis("decided alone, the surest first", 0.0, 1.0, percent=True),
        svg.Axis("of these wrong", 0.0, top, percent=True),
    )
    at = [(point.coverage, point.risk) for point in points]
    parts = [frame.lines(), svg.curve(frame, at, "one")]
    told = "No case has a prediction."
    if points:
        half = min(points, key=lambda point: abs(point.coverage - 0.5))
        told = (
            f"If the surest half were decided alone, {share(half.risk)} of it would be "
            f"wrong; if all were, {share(points[-1].risk)}."
        )
    if now is not None:
        parts.append(svg.dot(frame, *now, "mark"))
        parts.append(svg.label(frame, *now, "this run"))
        told += f" This run decided {share(now[0])} alone, {share(now[1])} wrong."
    return Drawing(title, svg.picture("risk", title, told, *parts), told)


def reliability(bins: Sequence[Bin]) -> Drawing:
    """How often the model was right where it was so sure."""
    title = "Reliability"
    frame = svg.Frame(
        svg.Axis("how sure the model was", 0.0, 1.0, percent=True),
        svg.Axis("how often it was right", 0.0, 1.0, percent=True),
    )
    parts = [frame.lines(), svg.rule(frame, (0.0, 0.0), (1.0, 1.0), "ideal")]
    for one in bins:
        parts.append(svg.span(frame, one.confidence, one.low, one.high))
        text = f"{share(one.confidence)} sure, {share(one.right)} right, {one.cases}"
        parts.append(svg.dot(frame, one.confidence, one.right, "mark", text))
    off = [one for one in bins if not one.low <= one.confidence <= one.high]
    told = (
        f"{len(bins)} bins of equal counts with 95 % intervals; the dashed line is "
        f"honesty. {len(off)} of them lie off it."
        if bins
        else "No case has a prediction."
    )
    return Drawing(title, svg.picture("reliability", title, told, *parts), told)


def over_time(blocks: Sequence[Block]) -> Drawing:
    """Questions and decisions in the order of time."""
    title = "Questions over time"
    most = max((block.cases for block in blocks), default=1)
    frame = svg.Frame(
        svg.Axis("part of the recording", 0.0, float(max(len(blocks), 1))),
        svg.Axis("windows", 0.0, float(most)),
    )
    parts = [frame.lines()]
    for place, block in enumerate(blocks):
        text = (
            f"windows {block.first} to {block.last}: {block.asked} asked, "
            f"{block.right} alone and right, {block.wrong} alone and wrong, "
            f"{block.held} held"
        )
        heights = (
            (float(block.right), "right"),
            (float(block.wrong), "wrong"),
            (float(block.asked), "asked"),
            (float(block.held), "held"),
        )
        parts.append(svg.stack(frame, place, place + 1.0, heights, text))
    told = _trend(blocks)
    return Drawing(title, svg.picture("time", title, told, *parts), told)


def _trend(blocks: Sequence[Block]) -> str:
    if len(blocks) < 4:
        return "Too few cases for a trend."
    part = len(blocks) // 4
    first, last = (
        sum(block.asked for block in some) / max(sum(b.cases for b in some), 1)
        for some in (blocks[:part], blocks[-part:])
    )
    return (
        f"In the first quarter {share(first)} of the windows were asked, in the last "
        f"{share(last)}."
    )


def promises(rows: Sequence[Swept]) -> Drawing:
    """What each alpha costs in questions, and what it came to."""
    title = "Risk against questions"
    hours = [row.per_hour or 0.0 for row in rows]
    risks = [row.risk or 0.0 for row in rows]
    frame = svg.Frame(
        svg.Axis("questions an hour of recording", 0.0, max([1.0, *hours]) * 1.1),
        svg.Axis("of what was decided alone, wrong", 0.0,
                 max([LEAST_RISK, *risks]) * 1.2, percent=True),
    )  # fmt: skip
    drawn = sorted(zip(hours, risks, strict=True))
    parts = [frame.lines(), svg.curve(frame, drawn, "one")]
    for row, x, y in zip(rows, hours, risks, strict=True):
        parts.append(svg.dot(frame, x, y, "mark"))
        parts.append(svg.label(frame, x, y, f"{row.alpha * 100:g} %"))
    told = "; ".join(
        f"alpha {row.alpha * 100:g} %: {x:.0f} questions an hour, {share(row.risk)} "
        "wrong"
        for row, x in zip(rows, hours, strict=True)
    )
    told = f"{told}." if told else "Nothing was swept."
    return Drawing(title, svg.picture("promises", title, told, *parts), told)
