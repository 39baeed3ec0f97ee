"""What a policy did with a stream, as numbers; and the policy that is not andon's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from recorded import Trial
from scipy.stats import t as student

from coordinator.insight.backtest import Backtest, BacktestPlan, replay
from coordinator.learning.validation.metrics import augrc, aurc
from coordinator.terms import Decision

NOTHING_MOVES: Final = 1_000_000
"""Labels to the next training, where the model is to stay as it is."""
TREES: Final = 300


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One run of one policy, case by case.

    Attributes:
        asked: bool, shape (cases,).
        alone: Decided without a question, bool, shape (cases,).
        wrong: The first guess was not the truth, bool, shape (cases,).
        missed: Wrong, and the guess was the harmless label, bool, shape (cases,).
        confidence: Of the first guess, shape (cases,); NaN where there was none.
    """

    asked: NDArray[np.bool_]
    alone: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    missed: NDArray[np.bool_]
    confidence: NDArray[np.float64]

    def numbers(self) -> dict[str, float | None]:
        """The figures of the evidence, by name; None for what there is none of."""
        count, alone = len(self.asked), int(self.alone.sum())
        wrong, missed = (
            int((self.alone & which).sum()) for which in (self.wrong, self.missed)
        )
        said = np.isfinite(self.confidence)
        last = said & (np.arange(count) >= 3 * count // 4)
        return {
            "cases": count,
            "questions": int(self.asked.sum()),
            "automated": alone / count,
            "wrong": wrong,
            "error": wrong / alone if alone else None,
            "missed": missed,
            "missed_share": missed / count,
            "aurc": _area(aurc, self, said),
            "aurc_last_quarter": _area(aurc, self, last),
            "augrc": _area(augrc, self, said),
        }


def _area(measure: object, outcome: Outcome, of: NDArray[np.bool_]) -> float | None:
    if not of.any() or not callable(measure):
        return None
    return float(measure(outcome.confidence[of], ~outcome.wrong[of]))


def andon(trial: Trial, plan: BacktestPlan) -> tuple[Outcome, Backtest]:
    """One run of the real path, see `andon backtest`."""
    done = asyncio.run(replay(trial.streamed, plan))
    harmless = trial.streamed.family.default_label
    cases = done.cases
    wrong = np.array(
        [c.prediction is not None and c.predicted != c.truth for c in cases]
    )
    return Outcome(
        asked=np.array([c.verdict.decision is Decision.ASK for c in cases]),
        alone=np.array([c.automated for c in cases]),
        wrong=wrong,
        missed=wrong & np.array([c.predicted == harmless for c in cases]),
        confidence=np.array(
            [c.prediction.confidence if c.prediction else np.nan for c in cases]
        ),
    ), done


def forest(trial: Trial, threshold: float, seed: int, *, retrain_every: int) -> Outcome:
    """scikit-learn's random forest with a fixed threshold, as one would do it by hand.

    Mean, deviation, least, greatest, first, last and steps of each channel; asked below
    the threshold; trained again on all answers; 5 % of the rest are audited too.
    """
    from sklearn.ensemble import RandomForestClassifier

    windows = trial.streamed.windows
    table, truth = by_hand(windows.samples), windows.truth
    draws = np.random.default_rng(seed)
    known, trained_on, model = list(range(trial.warmup)), 0, None
    rows: list[tuple[bool, bool, float]] = []
    for i in range(trial.warmup, len(truth)):
        if model is None or len(known) >= trained_on + retrain_every:
            model = RandomForestClassifier(TREES, random_state=seed, n_jobs=1)
            model.fit(table[known], truth[known])
            ahead, first, trained_on = model.predict_proba(table[i:]), i, len(known)
        chances = ahead[i - first]
        sure = float(chances.max())
        said = int(model.classes_[int(chances.argmax())])
        rows.append((said != truth[i], said == len(set(truth)) - 1, sure))
        if sure < threshold or draws.random() < 0.05:
            known.append(i)
    table = np.array(rows)  # (cases, 3)
    wrong, harmless = table[:, 0] > 0.0, table[:, 1] > 0.0
    alone = table[:, 2] >= threshold
    return Outcome(~alone, alone, wrong, wrong & harmless, table[:, 2])


def by_hand(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Seven statistics of each channel: (W, T, C) -> (W, 7C)."""
    steps = np.abs(np.diff(samples, axis=1))
    parts = [
        samples.mean(axis=1),
        samples.std(axis=1),
        samples.min(axis=1),
        samples.max(axis=1),
        samples[:, 0],
        samples[:, -1],
        steps.mean(axis=1),
    ]
    table: NDArray[np.float32] = np.concatenate(parts, axis=1)
    return table


def summary(runs: Sequence[dict[str, float | None]]) -> dict[str, Any]:
    """Mean and 95 % interval over seeds (Student's t), and each seed's number."""
    found: dict[str, Any] = {}
    for name in runs[0]:
        values = [float(v) for run in runs if (v := run[name]) is not None]
        if not values:
            found[name] = None
            continue
        mean, count = float(np.mean(values)), len(values)
        half = 0.0
        if count > 1:
            spread = float(np.std(values, ddof=1)) / count**0.5
            half = float(student.ppf(0.975, count - 1)) * spread
        found[name] = {
            "mean": mean,
            "low": max(0.0, mean - half),
            "high": mean + half,
            "seeds": values,
        }
    return found
