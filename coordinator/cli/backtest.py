"""`andon backtest`: a recording through the live and the learning path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.cli.dataset import DataDirOption, resolve_data_dir

if TYPE_CHECKING:
    from coordinator.insight.backtest import Backtest
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
            help="gate, certified, always, never, fixed:0.9 or random:N questions.",
        ),
    ] = "gate",
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
        typer.Option(metavar="SHARE", help="Most that may be wrong; certified alone."),
    ] = 0.05,
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
    import asyncio

    from coordinator import log
    from coordinator.cli.progress import Bar
    from coordinator.insight.backtest import BacktestPlan, backtest
    from coordinator.insight.dataset import find_dataset, open_dataset

    for file in (json_file, decisions):
        _require_writable(file)
    log.configure(level="ERROR")
    plan = BacktestPlan(
        policy=policy,
        warmup=warmup,
        retrain_every=retrain_every,
        seed=seed,
        error_rate=error_rate,
        audit_share=audit_share,
        threshold=threshold,
        alpha=alpha,
    )
    recording = open_dataset(find_dataset(dataset, resolve_data_dir(data_dir)))
    with Bar(f"backtest of {recording.name}") as bar:
        done = asyncio.run(backtest(recording, plan, progress=bar.show))
    if decisions is not None:
        from coordinator.insight.scores import write_decisions

        with decisions.open("w", encoding="utf-8", newline="") as out:
            write_decisions(done.cases, out)
    if json_file is not None:
        import json
        from dataclasses import asdict

        text = json.dumps(asdict(done.scores), indent=2, allow_nan=False)
        json_file.write_text(text + "\n", encoding="utf-8")
    _print_scores(f"{recording.name}, {policy}, seed {seed}", done.scores)
    _print_gate(done)


def _require_writable(file: Path | None) -> None:
    """Refuse before the run what could not be written after it."""
    from coordinator.errors import InputError

    if file is not None and (file.is_dir() or not file.resolve().parent.is_dir()):
        raise InputError(f"{file.name} cannot be written there.", "BAD_FILE")


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


def _print_gate(done: Backtest) -> None:
    """Say what a gate that has to prove itself came to, and how far it is."""
    if done.gate is None:
        return
    for move in done.moves:
        at = f"window {move.window}, after {move.audited} audited cases"
        typer.echo(f"{at}: {move.state.value}: {move.text}")
    typer.echo(f"at the end: {done.gate.state.value}: {done.gate.text}")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
