"""What `andon backtest` runs for its options, and what it says and writes about it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import typer

from coordinator.cli import plots
from coordinator.cli.output import print_table
from coordinator.cli.progress import Bar
from coordinator.errors import InputError
from coordinator.insight.backtest import CERTIFIED, Backtest, BacktestPlan, backtest
from coordinator.insight.dataset import Dataset
from coordinator.insight.scores import Scores, write_decisions
from coordinator.insight.whatif import figures
from coordinator.insight.whatif.compare import (
    Comparison,
    compare,
    outcome,
    write_changes,
)
from coordinator.insight.whatif.drawn import share
from coordinator.insight.whatif.page import Compared, Report, page
from coordinator.insight.whatif.settings import changed, difference
from coordinator.insight.whatif.sweep import ALPHAS, Swept, sweep

GATE: Final = "gate"
MOST_LINES: Final = 30
"""Changed decisions that are printed; --changes writes all."""
WORD: Final = (
    "Provisional, named on the command line: the gate acts from {threshold:g} on "
    "without proof, and no risk is certified."
)
PROOF: Final = (
    "The gate had to prove that at most {alpha:g} is wrong, {sure:g} sure, before it "
    "decided anything alone."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of one call.

    Attributes:
        recording: What is played.
        plan: The run that is asked about.
        other: The run to compare it with; None for none.
        alphas: Swept over the run; empty for none.
        beside: Whether other policies are run beside it.
    """

    recording: Dataset
    plan: BacktestPlan
    other: BacktestPlan | None
    alphas: Sequence[float]
    beside: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it."""

    asked: Asked
    done: Backtest
    other: Backtest | None
    comparison: Comparison | None
    swept: Sequence[Swept]
    policies: Sequence[tuple[str, Scores]]


def rule(policy: str, *, provisional: bool) -> str:
    """The rule that a policy's name means here: an unproven gate asks.

    Raises:
        InputError: only the gate can act on somebody's word.
    """
    if provisional and policy != GATE:
        raise InputError("--provisional goes with --policy gate.", "BAD_POLICY")
    return CERTIFIED if policy == GATE and not provisional else policy


def model_folder(name: str, data_dir: Path) -> str:
    """Folder of a model that is named by its folder, or by the begin of its digest.

    Raises:
        InputError: there is no such model, or more than one.
    """
    if not name:
        return ""
    if Path(name).is_dir():
        return str(Path(name))
    home = data_dir / "models"
    found = sorted(p for p in home.glob("*") if p.name.startswith(name) and p.is_dir())
    if len(found) != 1:
        many = (
            "more than one model begins" if found else "there is no model that begins"
        )
        raise InputError(f"{many} with {name[:40]!a} in {home.resolve()}.", "NO_MODEL")
    return str(found[0])


def other_plan(
    plan: BacktestPlan, settings: str, data_dir: Path
) -> BacktestPlan | None:
    """The plan to compare with; raises like changed() and model_folder()."""
    if not settings:
        return None
    other = changed(plan, settings)
    if other.model != plan.model:
        other = replace(other, model=model_folder(other.model, data_dir))
    return other


def alphas(text: str, *, wanted: bool) -> Sequence[float]:
    """The promises to sweep over: of --sweep, or the usual ones when `wanted`.

    Raises:
        InputError: it is not alpha, or not a share.
    """
    if not text:
        return ALPHAS if wanted else ()
    name, _, values = text.partition("=")
    try:
        found = tuple(float(value) for value in values.split(",")) if values else ALPHAS
    except ValueError as error:
        raise InputError(f"{values[:40]!a} are not numbers.", "BAD_SWEEP") from error
    if name != "alpha" or not all(0.0 < alpha <= 0.5 for alpha in found):
        raise InputError(
            "only alpha can be swept, for example alpha=0.01,0.05; above 0 to 0.5.",
            "BAD_SWEEP",
        )
    return found


def run(asked: Asked) -> Found:
    """Run everything that is wanted, one after the other."""
    done = _run(asked, asked.plan, asked.plan.policy)
    other = comparison = None
    if asked.other is not None:
        other = _run(asked, asked.other, "the other settings")
        comparison = compare(done.cases, other.cases)
    swept: Sequence[Swept] = ()
    if asked.alphas:
        windows, family = asked.recording.windows(), asked.recording.family
        delta = asked.plan.delta
        swept = sweep(done.cases, windows, family, alphas=asked.alphas, delta=delta)
    policies = [(asked.plan.policy, done.scores)]
    if asked.beside:
        fixed = f"fixed:{asked.plan.threshold:g}"
        for name in ("always", "never", fixed, f"random:{done.scores.questions}"):
            if name != asked.plan.policy:
                plan = replace(asked.plan, policy=name)
                policies.append((name, _run(asked, plan, name).scores))
    return Found(asked, done, other, comparison, swept, policies)


def _run(asked: Asked, plan: BacktestPlan, name: str) -> Backtest:
    with Bar(f"{asked.recording.name}: {name}") as bar:
        return asyncio.run(backtest(asked.recording, plan, progress=bar.show))


def write(
    found: Found,
    *,
    json_file: Path | None,
    decisions: Path | None,
    changes: Path | None,
) -> None:
    """Write the files that programs read."""
    if decisions is not None:
        with decisions.open("w", encoding="utf-8", newline="") as out:
            write_decisions(found.done.cases, out)
    if changes is not None and found.comparison is not None:
        with changes.open("w", encoding="utf-8", newline="") as out:
            write_changes(found.comparison, out)
    if json_file is not None:
        text = json.dumps(_numbers(found), indent=2, allow_nan=False)
        json_file.write_text(text + "\n", encoding="utf-8")


def _numbers(found: Found) -> dict[str, Any]:
    numbers: dict[str, Any] = asdict(found.done.scores)
    if found.other is not None and found.comparison is not None:
        effects = found.comparison.effects
        numbers["compared"] = {
            "scores": asdict(found.other.scores),
            "windows": found.comparison.both,
            "changes": {effect.value: count for effect, count in effects.items()},
        }
    if found.swept:
        numbers["swept"] = [asdict(row) for row in found.swept]
    return numbers


def page_of(found: Found) -> str:
    """The report as a page."""
    asked, plan = found.asked, found.asked.plan
    compared = None
    if asked.other is not None and found.other and found.comparison:
        name = difference(asked.other, plan)
        compared = Compared(name, found.other.scores, found.comparison)
    return page(
        Report(
            name=asked.recording.name,
            digest=asked.recording.digest,
            settings=_settings(plan),
            family=asked.recording.family,
            run=found.done,
            policies=found.policies if asked.beside else (),
            swept=found.swept,
            compared=compared,
            notes=_notes(plan),
        )
    )


def _settings(plan: BacktestPlan) -> list[tuple[str, str]]:
    learned = (
        [("model", Path(plan.model).name[:12])]
        if plan.model
        else [
            ("warm-up", str(plan.warmup)),
            ("training every", str(plan.retrain_every)),
            ("network", plan.network),
        ]
    )
    return [
        ("policy", plan.policy),
        *learned,
        ("threshold", f"{plan.threshold:g}"),
        ("audits", f"{plan.audit_share:g}"),
        ("wrong answers", f"{plan.error_rate:g}"),
        ("seed", str(plan.seed)),
    ]


def _notes(plan: BacktestPlan) -> list[str]:
    if plan.policy == GATE:
        return [WORD.format(threshold=plan.threshold)]
    if plan.policy == CERTIFIED:
        return [PROOF.format(alpha=plan.alpha, sure=1.0 - plan.delta)]
    return []


def tell(found: Found, *, swept: bool, plot: bool) -> None:
    """Say on the terminal what came of it, beside the numbers."""
    for note in _notes(found.asked.plan):
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
