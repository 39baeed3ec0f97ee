"""How good predictions are: pure functions of numbers, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEAST_PROBABILITY = 1e-6
"""A certain and wrong answer costs -log of this, or one example would decide all."""


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """A place on the risk-coverage curve.

    Attributes:
        coverage: Share of the windows, the surest ones, in (0, 1].
        risk: Share of those that is wrong, in [0, 1].
        confidence: Of the least sure of them, in [0, 1].
    """

    coverage: float
    risk: float
    confidence: float


def risk_coverage(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], *, most: int
) -> list[RiskPoint]:
    """Risk at every coverage that a threshold can choose, the surest windows first.

    Windows of equal confidence come together: no threshold parts them.

    Args:
        confidence: Calibrated probability of the chosen label, shape (windows,).
        correct: Whether the label was right, shape (windows,).
        most: Points of it, at least two; of more, so many are kept, both ends too.

    Returns:
        The points by growing coverage; none without windows.

    Source:
        See risk_at_coverage().
    """
    count = len(confidence)
    if count == 0:
        return []
    order = np.argsort(-confidence, kind="stable")
    surest = confidence[order]  # (windows,)
    errors = np.cumsum((~correct[order]).astype(np.float64))  # (windows,)
    ends = np.flatnonzero(np.append(surest[1:] != surest[:-1], True))  # (points,)
    if len(ends) > most:
        ends = ends[np.linspace(0, len(ends) - 1, most).round().astype(int)]
    return [
        RiskPoint((end + 1) / count, float(errors[end]) / (end + 1), float(surest[end]))
        for end in ends.tolist()
    ]


def risk_at_coverage(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], coverage: float
) -> float:
    """Error rate among the windows the model would act on alone.

    Args:
        confidence: Calibrated probability of the chosen label, shape (windows,).
        correct: Whether the label was right, shape (windows,).
        coverage: Share of windows to act on, in (0, 1].

    Returns:
        Errors per window acted on, in [0, 1].

    Raises:
        ValueError: coverage is outside (0, 1], or there are no windows.

    Source:
        Geifman & El-Yaniv, Selective Classification for Deep Neural Networks,
        NeurIPS 2017.
    """
    if not 0.0 < coverage <= 1.0:
        raise ValueError(f"coverage {coverage} is outside (0, 1]")
    if len(confidence) == 0:
        raise ValueError("no windows to measure")
    acted = max(1, round(coverage * len(confidence)))
    surest_first = np.argsort(-confidence, kind="stable")  # (windows,)
    return float(1.0 - correct[surest_first[:acted]].mean())


def aurc(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Area under the risk-coverage curve, in [0, 1]; less is better.

    Windows of equal confidence count alike, whatever order they came in.

    Args:
        confidence: Calibrated probability of the chosen label, shape (windows,).
        correct: Whether the label was right, shape (windows,).

    Raises:
        ValueError: there are no windows.

    Source:
        Geifman, Uziel & El-Yaniv, Bias-Reduced Uncertainty Estimation for Deep Neural
        Classifiers, ICLR 2019.
    """
    if len(confidence) == 0:
        raise ValueError("no windows to measure")
    wrong = _surest_first(confidence, correct)
    risk = np.cumsum(wrong) / np.arange(1, len(wrong) + 1)
    return float(risk.mean())


def augrc(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Area under the generalized risk-coverage curve, in [0, 0.5]; less is better.

    At each coverage it counts the share of all windows that is decided alone and
    wrong: what an undetected failure costs, on average over thresholds. Windows of
    equal confidence count alike.

    Args:
        confidence: Calibrated probability of the chosen label, shape (windows,).
        correct: Whether the label was right, shape (windows,).

    Raises:
        ValueError: there are no windows.

    Source:
        Traub et al., Overcoming Common Flaws in the Evaluation of Selective
        Classification Systems, NeurIPS 2024.
    """
    if len(confidence) == 0:
        raise ValueError("no windows to measure")
    return float(np.cumsum(_surest_first(confidence, correct)).mean() / len(correct))


def _surest_first(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Errors, the surest first; within a tie each is given the tie's mean error."""
    order = np.argsort(-confidence, kind="stable")
    wrong = (~correct[order]).astype(np.float64)  # (windows,)
    _, tie, sizes = np.unique(
        -confidence[order], return_inverse=True, return_counts=True
    )
    shared: NDArray[np.float64] = (np.bincount(tie, weights=wrong) / sizes)[tie]
    return shared


def ece(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = 10
) -> float:
    """Expected calibration error over bins of equal counts, in [0, 1].

    Args:
        confidence: Calibrated probability of the chosen label, shape (windows,).
        correct: Whether the label was right, shape (windows,).
        bins: How many, at least one.

    Raises:
        ValueError: there are no windows.

    Source:
        Nixon et al., Measuring Calibration in Deep Learning, CVPR workshops 2019:
        equal counts instead of equal widths, or most bins are empty.
    """
    if len(confidence) == 0:
        raise ValueError("no windows to measure")
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    gaps = [
        len(part) * abs(float(confidence[part].mean()) - float(correct[part].mean()))
        for part in parts
    ]
    return sum(gaps) / len(order)


def recall(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], label: int
) -> float | None:
    """Share of the windows of one label that were called so; None if there are none.

    Args:
        truth: Column of the true label, shape (windows,).
        predicted: Column of the predicted label, shape (windows,).
        label: Column of the label that is meant.
    """
    of_label = truth == label
    if not of_label.any():
        return None
    return float((predicted[of_label] == label).mean())


def missed(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    acted: NDArray[np.bool_],
    harmless: int,
) -> int:
    """Faults that would pass as good without a question.

    Args:
        truth: Column of the true label, shape (windows,).
        predicted: Column of the predicted label, shape (windows,).
        acted: Whether the model would act alone, shape (windows,).
        harmless: Column of the label that means "no fault".
    """
    return int((acted & (predicted == harmless) & (truth != harmless)).sum())


def losses(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Negative log-likelihood of each true label, in nats, shape (windows,)."""
    said = probabilities[np.arange(len(truth)), truth]
    return -np.log(np.clip(said, _LEAST_PROBABILITY, 1.0))
