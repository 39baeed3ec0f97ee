"""`andon backtest`: a recording through the live and the learning path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli.dataset import DataDirOption, resolve_data_dir

if TYPE_CHECKING:
    from coordinator.insight.scores import Scores

FileOption = Path | None


def register(app: typer.Typer) -> None:
    """Add the command to `andon`."""
    app.command("backtest")(backtest_)


def backtest_(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="Name or folder of a dataset.")
    ],
    policy: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="gate, always, never, fixed:0.9 or random:N questions.",
        ),
    ] = "gate",
    provisional: Annotated[
        bool,
        typer.Option(
            "--provisional",
            help="Let the gate act from --threshold on without proof, on your word.",
        ),
    ] = False,
    warmup: Annotated[
        int, typer.Option(metavar="N", help="Labels before the first training.")
    ] = 40,
    retrain_every: Annotated[
        int, typer.Option(metavar="N", help="Labels from one training to the next.")
    ] = 50,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Makes a run repeatable.")
    ] = 0,
    error_rate: Annotated[
        float, typer.Option(metavar="SHARE", help="Wrong answers of the person.")
    ] = 0.0,
    audit_share: Annotated[
        float, typer.Option(metavar="SHARE", help="Windows also shown to a person.")
    ] = 0.05,
    threshold: Annotated[
        float, typer.Option(metavar="P", help="Confidence from which the gate acts.")
    ] = 0.9,
    alpha: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Most that may be wrong, to be proven."),
    ] = 0.05,
    network: Annotated[
        str, typer.Option(metavar="NAME", help="Network to train, or auto.")
    ] = "auto",
    model: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="Folder or digest of one model that serves throughout.",
        ),
    ] = "",
    compare: Annotated[
        str,
        typer.Option(
            metavar="NAME=VALUE,...",
            help="Run again with these settings and list every changed decision.",
        ),
    ] = "",
    changes: Annotated[
        FileOption,
        typer.Option(metavar="FILE", help="Write one CSV line a changed decision."),
    ] = None,
    sweep: Annotated[
        str,
        typer.Option(
            metavar="alpha",
            help="What each promise costs in questions; alpha=0.01,0.05 for some.",
        ),
    ] = "",
    report: Annotated[
        FileOption,
        typer.Option(
            metavar="FILE.html",
            help="Write one page with every figure, other policies beside it.",
        ),
    ] = None,
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw the curves in the terminal.")
    ] = False,
    json_file: Annotated[
        FileOption,
        typer.Option("--json", metavar="FILE", help="Write the numbers as JSON."),
    ] = None,
    decisions: Annotated[
        FileOption, typer.Option(metavar="FILE", help="Write one CSV line a case.")
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Try a rule on a recording: questions asked, errors made, faults missed.

    The windows go in the order of time through the checks, the gate, the cell and the
    learning of a coordinator; the recorded labels answer. Each window is scored with
    the model that served when it came.
    """
    from coordinator import log
    from coordinator.cli import backtest_page, backtest_told
    from coordinator.cli import backtest_runs as runs
    from coordinator.insight.backtest import BacktestPlan
    from coordinator.insight.dataset import find_dataset, open_dataset

    for file in (json_file, decisions, changes, report):
        _require_writable(file)
    log.configure(level="ERROR")
    folder = resolve_data_dir(data_dir)
    plan = BacktestPlan(
        policy=runs.rule(policy, provisional=provisional),
        warmup=warmup,
        retrain_every=retrain_every,
        seed=seed,
        error_rate=error_rate,
        audit_share=audit_share,
        threshold=threshold,
        alpha=alpha,
        network=network,
        model=runs.model_folder(model, folder),
    )
    asked = runs.Asked(
        recording=open_dataset(find_dataset(dataset, folder)),
        plan=plan,
        other=runs.other_plan(plan, compare, folder),
        alphas=runs.alphas(sweep, wanted=report is not None),
        beside=report is not None,
    )
    found = runs.run(asked)
    backtest_page.write(
        found, json_file=json_file, decisions=decisions, changes=changes
    )
    if report is not None:
        report.write_text(backtest_page.page_of(found), encoding="utf-8")
    title = f"{asked.recording.name}, {policy}, seed {seed}"
    _print_scores(title, found.done.scores)
    backtest_told.tell(found, swept=bool(sweep), plot=plot)


def _require_writable(file: Path | None) -> None:
    """Refuse before the run what could not be written after it."""
    from coordinator.errors import InputError

    if file is None:
        return
    folder = file.resolve().parent
    why = ""
    if file.is_dir():
        why = "it is a folder"
    elif not folder.is_dir():
        why = f"there is no folder {folder}"
    elif not os.access(file if file.exists() else folder, os.W_OK):
        why = "this user may not write there"
    if why:
        raise InputError(f"{file} cannot be written: {why}.", "BAD_FILE")


def _print_scores(title: str, scores: Scores) -> None:
    from coordinator.cli.output import print_table

    rate = scores.automated_error_rate
    held = scores.cases - scores.questions - scores.automated
    share = scores.questions / scores.cases if scores.cases else 0.0
    print_table(
        title,
        ("what", "count", "share"),
        (
            ("cases after the warm-up", str(scores.cases), ""),
            ("questions", str(scores.questions), f"{share:.1%}"),
            ("audits", str(scores.audits), ""),
            ("held: not usable", str(held), ""),
            ("decided alone", str(scores.automated), ""),
            (
                "of these wrong",
                str(scores.automated_errors),
                "none" if rate is None else f"{rate:.1%}",
            ),
            ("of these a missed fault", str(scores.missed_faults), ""),
            ("area under risk-coverage", "", _number(scores.aurc)),
            ("calibration error", "", _number(scores.ece)),
            ("trainings", str(scores.retrains), ""),
            ("promotions", str(scores.promotions), ""),
            ("seconds", f"{scores.seconds:.1f}", ""),
        ),
    )


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
