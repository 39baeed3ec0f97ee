"""The files that `andon backtest` writes: lists, numbers, and one page to read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from coordinator.cli.backtest_runs import GATE, Found
from coordinator.insight.backtest import CERTIFIED, BacktestPlan
from coordinator.insight.scores import write_decisions
from coordinator.insight.whatif.compare import write_changes
from coordinator.insight.whatif.page import Compared, Report, page
from coordinator.insight.whatif.settings import difference

WORD: Final = (
    "Provisional, named on the command line: the gate acts from {threshold:g} on "
    "without proof, and no risk is certified."
)
PROOF: Final = (
    "The gate had to prove that at most {alpha:g} is wrong, {sure:g} sure, before it "
    "decided anything alone."
)


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
            notes=notes(plan),
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


def notes(plan: BacktestPlan) -> list[str]:
    """Say what a run of the gate rests on."""
    if plan.policy == GATE:
        return [WORD.format(threshold=plan.threshold)]
    if plan.policy == CERTIFIED:
        return [PROOF.format(alpha=plan.alpha, sure=1.0 - plan.delta)]
    return []
