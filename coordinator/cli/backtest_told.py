"""What `andon backtest` says on the terminal of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import typer

from coordinator.cli import plots
from coordinator.cli.backtest_page import notes
from coordinator.cli.backtest_runs import Found
from coordinator.cli.output import print_table
from coordinator.insight.backtest import Backtest
from coordinator.insight.scores import Scores
from coordinator.insight.whatif import figures
from coordinator.insight.whatif.compare import Comparison, outcome
from coordinator.insight.whatif.drawn import share
from coordinator.insight.whatif.settings import difference
from coordinator.insight.whatif.sweep import Swept

MOST_LINES: Final = 30
"""Changed decisions that are printed; --changes writes all."""


def tell(found: Found, *, swept: bool, plot: bool) -> None:
    """Say on the terminal what came of it, beside the numbers."""
    for note in notes(found.asked.plan):
        typer.echo(note)
    if found.done.gate is not None:
        for move in found.done.moves:
            at = f"window {move.window}, after {move.audited} audited cases"
            typer.echo(f"{at}: {move.state.value}: {move.text}")
        typer.echo(f"at the end: {found.done.gate.state.value}: {found.done.gate.text}")
    if found.asked.beside:
        _tell_policies(found.policies)
    if found.other is not None and found.comparison is not None:
        _tell_changes(found, found.comparison, found.other.scores)
    if swept:
        _tell_sweep(found.swept)
    if plot:
        _draw(found.done)


def _tell_policies(policies: Sequence[tuple[str, Scores]]) -> None:
    print_table(
        "policies beside each other",
        ("policy", "questions", "alone", "wrong", "rate", "missed"),
        (
            (
                name,
                str(scores.questions),
                str(scores.automated),
                str(scores.automated_errors),
                share(scores.automated_error_rate),
                str(scores.missed_faults),
            )
            for name, scores in policies
        ),
    )


def _tell_changes(found: Found, comparison: Comparison, other: Scores) -> None:
    asked = found.asked
    first = found.done.scores
    name = "" if asked.other is None else difference(asked.other, asked.plan)
    print_table(
        f"compared with {name}",
        ("what", "this run", "the other"),
        (
            ("questions", str(first.questions), str(other.questions)),
            ("decided alone", str(first.automated), str(other.automated)),
            (
                "of these wrong",
                str(first.automated_errors),
                str(other.automated_errors),
            ),
            ("of these a missed fault", str(first.missed_faults),
             str(other.missed_faults)),
        ),
    )  # fmt: skip
    effects = "; ".join(f"{e.value} {n}" for e, n in comparison.effects.items())
    typer.echo(
        f"{len(comparison.changes)} of {comparison.both} decisions changed: {effects}."
    )
    print_table(
        "",
        ("window", "group", "time", "this run", "the other", "truth", "effect"),
        (
            (
                str(change.before.number),
                change.before.group,
                change.before.time,
                outcome(change.before),
                outcome(change.after),
                change.before.truth,
                change.effect.value,
            )
            for change in comparison.changes[:MOST_LINES]
        ),
    )
    more = len(comparison.changes) - MOST_LINES
    if more > 0:
        typer.echo(f"{more} more; --changes FILE writes all.")


def _tell_sweep(swept: Sequence[Swept]) -> None:
    print_table(
        "promises: threshold chosen on the older half, counted on the newer",
        ("alpha", "threshold", "questions/h", "alone", "wrong", "at most", "missed",
         "proof"),
        (
            (
                f"{row.alpha * 100:g} %",
                "none" if row.threshold is None else f"{row.threshold:.3f}",
                "none" if row.per_hour is None else f"{row.per_hour:.1f}",
                f"{row.alone} of {row.cases}",
                f"{row.wrong} ({share(row.risk)})",
                share(row.bound),
                str(row.missed),
                row.proof,
            )
            for row in swept
        ),
    )  # fmt: skip
    places = sorted((row.per_hour or 0.0, row.risk or 0.0) for row in swept)
    for line in plots.curve(
        places,
        across="questions an hour",
        up="wrong, of what was decided alone",
        percent=(False, True),
    ):
        typer.echo(line)


def _draw(done: Backtest) -> None:
    points = [(p.coverage, p.risk) for p in figures.risk_coverage(done.cases)]
    for line in plots.curve(points, across="decided alone", up="of these wrong"):
        typer.echo(line)
    bins = [(b.confidence, b.right) for b in figures.reliability(done.cases)]
    for line in plots.curve(bins, across="how sure", up="how often right"):
        typer.echo(line)
    blocks = figures.over_time(done.cases)
    alone = [(block.right + block.wrong, block.asked) for block in blocks]
    most = max((block.cases for block in blocks), default=1)
    names = ("decided alone", "asked")
    for line in plots.bars(alone, names=names, most=most):
        typer.echo(line)
