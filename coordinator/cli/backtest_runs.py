"""What `andon backtest` runs for its options, one run after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from coordinator.cli.progress import Bar
from coordinator.errors import InputError
from coordinator.insight.backtest import CERTIFIED, Backtest, BacktestPlan, backtest
from coordinator.insight.dataset import Dataset
from coordinator.insight.scores import Scores
from coordinator.insight.whatif.compare import Comparison, compare
from coordinator.insight.whatif.settings import changed
from coordinator.insight.whatif.sweep import ALPHAS, Swept, sweep

GATE: Final = "gate"


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
