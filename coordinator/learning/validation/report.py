"""What two models say of the same held-out examples, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.learning.validation.metrics import aurc, ece, recall, risk_at_coverage
from coordinator.terms import HeldOutCase, Snapshot

MOST_CASES: Final = 1000
"""Cases that a report keeps, the newest: they stand in the journal with it."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One model on held-out examples.

    Attributes:
        probabilities: Calibrated, over the labels below, shape (examples, labels).
        novelty: 1.0 is the edge of the familiar, shape (examples,).
    """

    probabilities: NDArray[np.float64]
    novelty: NDArray[np.float64]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Column of the first guess, shape (examples,)."""
        first: NDArray[np.int64] = self.probabilities.argmax(axis=1).astype(np.int64)
        return first

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of the first guess, shape (examples,)."""
        highest: NDArray[np.float64] = self.probabilities.max(axis=1)
        return highest

    def acted(self, threshold: float) -> NDArray[np.bool_]:
        """Whether the gate would let it act alone, shape (examples,)."""
        return (self.confidence >= threshold) & (self.novelty <= 1.0)


def aligned(
    probabilities: NDArray[np.float64], spoken: Sequence[str], labels: Sequence[str]
) -> NDArray[np.float64]:
    """Put a model's answers into the columns of other labels.

    A label the model does not know gets probability 0: it could never have said it.

    Args:
        probabilities: Shape (examples, spoken).
        spoken: The model's labels.
        labels: The wanted labels.

    Returns:
        Shape (examples, labels).
    """
    answer = np.zeros((len(probabilities), len(labels)))
    for column, label in enumerate(labels):
        if label in spoken:
            answer[:, column] = probabilities[:, list(spoken).index(label)]
    return answer


def measure(
    trial: Trial,
    truth: NDArray[np.int64],
    labels: Sequence[str],
    threshold: float,
    prefix: str = "",
) -> dict[str, float]:
    """Metrics by name; what cannot be measured is left out.

    Args:
        trial: What the model said.
        truth: Column of each true label, shape (examples,).
        labels: Names of the columns.
        threshold: Least confidence to act alone.
        prefix: Before every name, for example "serving.".
    """
    if len(truth) == 0:
        return {}
    correct = trial.predicted == truth
    acted = trial.acted(threshold)
    metrics = {
        "accuracy": float(correct.mean()),
        "ece": ece(trial.confidence, correct),
        "aurc": aurc(trial.confidence, correct),
        "coverage_at_threshold": float(acted.mean()),
    }
    if acted.any():
        metrics["error_at_threshold"] = float(1.0 - correct[acted].mean())
        metrics["risk_at_half_coverage"] = risk_at_coverage(
            trial.confidence, correct, 0.5
        )
    for column, label in enumerate(labels):
        share = recall(truth, trial.predicted, column)
        if share is not None:
            metrics[f"recall.{label}"] = share
    return {prefix + name: value for name, value in metrics.items()}


def cases(
    trial: Trial, snapshot: Snapshot, rows: NDArray[np.int64]
) -> tuple[HeldOutCase, ...]:
    """Name what a trial rests on, so that every number can be looked behind.

    Args:
        trial: What the candidate said of those examples.
        snapshot: Where they are from.
        rows: Which they are, shape (examples,); oldest first.
    """
    if not snapshot.window_ids:
        return ()
    newest = range(max(0, len(rows) - MOST_CASES), len(rows))
    labels, said, sure = snapshot.labels, trial.predicted, trial.confidence
    return tuple(
        HeldOutCase(
            window_id=snapshot.window_ids[rows[i]],
            truth=labels[snapshot.label_index[rows[i]]],
            said=labels[said[i]],
            confidence=round(float(sure[i]), 6),
            novelty=round(float(trial.novelty[i]), 6),
        )
        for i in newest
    )
