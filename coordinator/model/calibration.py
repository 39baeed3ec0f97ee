"""Temperature: makes "0.9" mean nine right of ten, on examples no member learned from.

Source:
    Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

COOLEST: Final = 0.25
"""Least temperature: few examples without an error must not make a model certain."""
HOTTEST: Final = 20.0
"""Greatest temperature: beyond it every answer is a guess."""
SURPRISES: Final = 3.0
"""Examples of random labels that are imagined beside the real ones: thirty answers
without an error do not prove 99.9 % (Laplace's rule of succession)."""


def probabilities(
    logits: NDArray[np.float64], temperature: float
) -> NDArray[np.float64]:
    """Calibrated probabilities, shape of logits: (..., labels).

    A logit that is not finite gives NaN, which no comparison lets through.
    """
    calibrated: NDArray[np.float64] = softmax(
        np.asarray(logits, dtype=np.float64) / temperature, axis=-1
    )
    return calibrated


def log_loss(
    logits: NDArray[np.float64],
    label_index: NDArray[np.int64],
    weights: NDArray[np.float64],
    temperature: float = 1.0,
) -> float:
    """Weighted mean negative log-likelihood of the true labels, in nats.

    Args:
        logits: float64, shape (examples, labels).
        label_index: Column of each true label, shape (examples,).
        weights: Not negative, not all zero, shape (examples,).
        temperature: Divides the logits.
    """
    spoken = log_softmax(np.asarray(logits, dtype=np.float64) / temperature, axis=-1)
    lost = -spoken[np.arange(len(label_index)), label_index]
    return float(np.average(lost, weights=weights))


def fit_temperature(
    logits: NDArray[np.float64],
    label_index: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> float:
    """Return the temperature with the least log loss.

    Args:
        logits: Out-of-fold, float64, shape (examples, labels).
        label_index: Column of each true label, shape (examples,).
        weights: Inverse propensities, capped: asked windows are harder than the
            stream, and without weights the model would look worse than it is.

    Raises:
        ValueError: there are no examples, or a logit is not finite.
    """
    if len(logits) == 0 or not np.isfinite(logits).all():
        raise ValueError("a temperature needs finite logits of at least one example")

    spoken = np.asarray(logits, dtype=np.float64)
    share = SURPRISES / (SURPRISES + len(spoken))

    def lost(log_temperature: float) -> float:
        temperature = math.exp(log_temperature)
        real = log_loss(spoken, label_index, weights, temperature)
        imagined = -log_softmax(spoken / temperature, axis=-1).mean()
        return (1.0 - share) * real + share * float(imagined)

    found = minimize_scalar(
        lost, bounds=(math.log(COOLEST), math.log(HOTTEST)), method="bounded"
    )
    return math.exp(float(found.x))
