"""A backtest as one HTML file: nothing is loaded, nothing runs, every byte repeats.

No time stands in it but those of the recording, and no duration, so that two runs of
the same settings on the same machine write the same file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from typing import Final

from coordinator.insight.backtest import Backtest
from coordinator.insight.scores import Case, Scores
from coordinator.insight.whatif import drawn, figures
from coordinator.insight.whatif.compare import Comparison, outcome
from coordinator.insight.whatif.drawn import Drawing, share
from coordinator.insight.whatif.figures import Cell
from coordinator.insight.whatif.sweep import Swept
from coordinator.terms import Family

MOST_RIGHT: Final = 60
"""Windows listed behind a number of right guesses; of wrong ones all are."""
MOST_CHANGES: Final = 1000
KEY: Final = (
    ("right", "alone and right"),
    ("wrong", "alone and wrong"),
    ("asked", "asked"),
    ("held", "held: not usable"),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Another run beside the one that is reported.

    Attributes:
        name: In what its settings differ.
        scores: Its numbers.
        comparison: What it decided otherwise.
    """

    name: str
    scores: Scores
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a page says.

    Attributes:
        name: Of the recording.
        digest: Of the recording.
        settings: Name and value, in the order in which they are shown.
        family: Labels.
        run: The run that is reported.
        policies: Other policies on the same recording, by name.
        swept: Alpha swept over the run.
        compared: Another run to compare with; None without one.
    """

    name: str
    digest: str
    settings: Sequence[tuple[str, str]]
    family: Family
    run: Backtest
    policies: Sequence[tuple[str, Scores]] = ()
    swept: Sequence[Swept] = ()
    compared: Compared | None = None
    notes: Sequence[str] = field(default_factory=tuple)


def page(report: Report) -> str:
    """Write the page."""
    title = f"Backtest of {report.name}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">Recording {escape(report.digest[:12])}. '
        f"{escape(_settings(report))}</p>",
        *(f"<p>{escape(note)}</p>" for note in report.notes),
        _numbers(report),
        _certificate(report),
        _figure(
            drawn.risk_coverage(figures.risk_coverage(report.run.cases), _now(report))
        ),
        _figure(drawn.reliability(figures.reliability(report.run.cases))),
        _over_time(report.run.cases),
        _confusion(report),
        _policies(report),
        _swept(report.swept),
        _compared(report.compared),
    ]
    style = resources.files(__package__).joinpath("style.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<main>\n{chr(10).join(part for part in parts if part)}\n</main>\n"
        "</body>\n</html>\n"
    )


def _settings(report: Report) -> str:
    return "; ".join(f"{name} {value}" for name, value in report.settings) + "."


def _now(report: Report) -> tuple[float, float] | None:
    """Where this run lies on the risk-coverage curve."""
    scores = report.run.scores
    if not scores.cases or scores.automated_error_rate is None:
        return None
    return scores.automated / scores.cases, scores.automated_error_rate


def _figure(drawing: Drawing, *, key: bool = False) -> str:
    legend = ""
    if key:
        spans = "".join(f'<span><i class="{k}"></i>{text}</span>' for k, text in KEY)
        legend = f'<p class="key">{spans}</p>'
    return (
        f"<h2>{escape(drawing.title)}</h2>\n<figure>{drawing.picture}{legend}"
        f"<figcaption>{escape(drawing.told)}</figcaption></figure>"
    )


def _over_time(cases: Sequence[Case]) -> str:
    """The bars, and the same in numbers: colour is never the only sign."""
    blocks = figures.over_time(cases)
    rows = (
        (
            f"{b.first} to {b.last}",
            str(b.right),
            str(b.wrong),
            str(b.asked),
            str(b.held),
        )
        for b in blocks
    )
    head = ("windows", *(text for _, text in KEY))
    table = _table("Questions over time, in numbers", head, rows)
    details = f"<details><summary>in numbers</summary>{table}</details>"
    return f"{_figure(drawn.over_time(blocks), key=True)}{details}"


def _table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], now: int = -1
) -> str:
    """A table of plain text; the row `now` stands out."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = []
    for place, row in enumerate(rows):
        mark = ' class="now"' if place == now else ""
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        body.append(f'<tr{mark}><th scope="row">{escape(row[0])}</th>{cells}</tr>')
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption><thead><tr>'
        f"{top}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _numbers(report: Report) -> str:
    scores = report.run.scores
    held = scores.cases - scores.questions - scores.automated
    rows = (
        ("cases", str(scores.cases), ""),
        ("questions", str(scores.questions), _of(scores.questions, scores.cases)),
        ("decided alone", str(scores.automated), _of(scores.automated, scores.cases)),
        (
            "of these wrong",
            str(scores.automated_errors),
            share(scores.automated_error_rate),
        ),
        ("of these a missed fault", str(scores.missed_faults), ""),
        ("audits", str(scores.audits), ""),
        ("held: not usable", str(held), _of(held, scores.cases)),
        ("area under risk-coverage", _number(scores.aurc), ""),
        ("calibration error", _number(scores.ece), ""),
        ("trainings, of these served", f"{scores.retrains}, {scores.promotions}", ""),
    )
    return _table("What came of it", ("what", "count", "share"), rows)


def _certificate(report: Report) -> str:
    """How far a promise is: the gate's own words, or the sweep's at five per cent."""
    lines = []
    if report.run.gate is not None:
        gate = report.run.gate
        lines.append(f"At the end the gate was {gate.state.name}: {gate.text}")
        lines += [
            f"Window {move.window}: {move.state.name}, {move.audited} audited: "
            f"{move.text}"
            for move in report.run.moves
        ]
    near = next((row for row in report.swept if row.alpha == 0.05), None)
    if near is not None:
        lines.append(
            "A promise of 5 %, tried on the cases of the model that served last: "
            f"{near.proof}."
        )
    if not lines:
        return ""
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f"<h2>How far from a certificate</h2>{body}"


def _confusion(report: Report) -> str:
    labels = report.family.label_names
    matrix = figures.confusion(report.run.cases, labels)
    default = report.family.default_label
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in labels)
    rows = []
    for line in matrix:
        cells = "".join(_cell(cell, default) for cell in line)
        rows.append(f'<tr><th scope="row">{escape(line[0].truth)}</th>{cells}</tr>')
    lists = "".join(_behind(cell) for line in matrix for cell in line if cell.cases)
    return (
        "<h2>Who was taken for whom</h2>"
        '<div class="wide"><table><caption>One row a truth, one column a first guess; '
        "in brackets how many were decided alone. Framed: a fault taken for "
        f"{escape(default)}. Each number leads to its windows.</caption><thead><tr>"
        f'<th scope="col">truth</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody>'
        f"</table></div>{lists}"
    )


def _cell(cell: Cell, default: str) -> str:
    if not cell.cases:
        return "<td>0</td>"
    kind = "diagonal" if cell.truth == cell.predicted else ""
    if cell.predicted == default and cell.truth != default:
        kind = "missed"
    text = f"{len(cell.cases)} ({cell.alone})"
    return f'<td class="{kind}"><a href="#{_anchor(cell)}">{text}</a></td>'


def _anchor(cell: Cell) -> str:
    """An id for a number; labels may hold anything."""
    pair = f"{cell.truth}\0{cell.predicted}"
    return "cell-" + pair.encode().hex()


def _behind(cell: Cell) -> str:
    """The windows behind a number."""
    right = cell.truth == cell.predicted
    shown = cell.cases[:MOST_RIGHT] if right else cell.cases
    rows = ((str(c.number), c.group, c.time, _sure(c), outcome(c)) for c in shown)
    more = len(cell.cases) - len(shown)
    tail = f"<p>{more} more; --decisions lists all.</p>" if more else ""
    said = "rightly" if right else f"taken for {cell.predicted}"
    summary = f"{cell.truth}, {said}: {len(cell.cases)} windows"
    table = _table(
        summary, ("window", "group", "time", "how sure", "what became of it"), rows
    )
    return (
        f'<details id="{_anchor(cell)}"{"" if right else " open"}>'
        f"<summary>{escape(summary)}</summary>{table}{tail}</details>"
    )


def _policies(report: Report) -> str:
    if not report.policies:
        return ""
    rows = [
        (
            name,
            str(scores.questions),
            str(scores.automated),
            str(scores.automated_errors),
            share(scores.automated_error_rate),
            str(scores.missed_faults),
            _number(scores.aurc),
        )
        for name, scores in report.policies
    ]
    head = ("policy", "questions", "alone", "wrong", "rate", "missed", "area")
    caption = "The same recording under other rules; the first is the one of this page."
    return f"<h2>Policies beside each other</h2>{_table(caption, head, rows, 0)}"


def _swept(swept: Sequence[Swept]) -> str:
    if not swept:
        return ""
    rows = [
        (
            f"{row.alpha * 100:g} %",
            "none" if row.threshold is None else f"{row.threshold:.3f}",
            "none" if row.per_hour is None else f"{row.per_hour:.1f}",
            f"{row.alone} of {row.cases}",
            str(row.wrong),
            share(row.risk),
            share(row.bound),
            str(row.missed),
            row.proof,
        )
        for row in swept
    ]
    head = (
        "promise",
        "threshold",
        "questions an hour",
        "alone",
        "wrong",
        "rate",
        "at most (95 % sure)",
        "missed",
        "proof",
    )
    caption = (
        "Each threshold was chosen on the older half of the cases and counted on the "
        "newer half. No promise follows from it; the last column says what one takes."
    )
    return f"{_figure(drawn.promises(swept))}{_table(caption, head, rows)}"


def _compared(compared: Compared | None) -> str:
    if compared is None:
        return ""
    comparison = compared.comparison
    effects = "; ".join(
        f"{effect.value} {count}" for effect, count in comparison.effects.items()
    )
    rows = [
        (
            str(change.before.number),
            change.before.group,
            change.before.time,
            f"{outcome(change.before)}, {_sure(change.before)}",
            f"{outcome(change.after)}, {_sure(change.after)}",
            change.before.truth,
            change.effect.value,
        )
        for change in comparison.changes[:MOST_CHANGES]
    ]
    head = ("window", "group", "time", "this run", "the other", "truth", "effect")
    scores = compared.scores
    caption = (
        f"{len(comparison.changes)} of {comparison.both} windows were decided "
        f"otherwise: {effects}."
    )
    more = len(comparison.changes) - len(rows)
    tail = f"<p>{more} more; --changes lists all.</p>" if more else ""
    return (
        f"<h2>Compared with {escape(compared.name)}</h2>"
        f"<p>The other run: {scores.questions} questions, {scores.automated} decided "
        f"alone, {scores.automated_errors} of these wrong "
        f"({share(scores.automated_error_rate)}), {scores.missed_faults} missed.</p>"
        f"{_table(caption, head, rows)}{tail}"
    )


def _sure(case: Case) -> str:
    said = case.prediction
    return "no model" if said is None else f"{said.label} {said.confidence:.3f}"


def _of(part: int, whole: int) -> str:
    return share(part / whole) if whole else "none"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
