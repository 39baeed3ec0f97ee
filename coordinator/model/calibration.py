"""Makes "0.9" mean nine right of ten, on examples no member learned from.

A temperature says how sure to be, and a bias for each label how common the labels are:
a forest that learned as if all were equally common is brought back to the stream's
own shares. More freedom than that (isotonic, beta) ranked windows worse.

Source:
    Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    Alexandari, Kundaje, Shrikumar, Maximum Likelihood with Bias-Corrected Calibration
    is Hard-To-Beat at Label Shift Adaptation, ICML 2020.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, softmax

COOLEST: Final = 0.25
"""Least temperature: few examples without an error must not make a model certain."""
HOTTEST: Final = 20.0
"""Greatest temperature: beyond it every answer is a guess."""
SURPRISE: Final = 0.5
"""Examples of each label that are imagined beside the real ones, whatever the window:
thirty answers without an error do not prove 99.9 % (Jeffreys' prior)."""
STIFFNESS: Final = 1.0
"""Cost of a bias, in examples: no label becomes common on the word of a few."""


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


def log_losses(
    logits: NDArray[np.float64], label_index: NDArray[np.int64], temperature: float
) -> NDArray[np.float64]:
    """Negative log-likelihood of each true label, in nats, shape (examples,)."""
    spoken = log_softmax(np.asarray(logits, dtype=np.float64) / temperature, axis=-1)
    lost: NDArray[np.float64] = -spoken[np.arange(len(label_index)), label_index]
    return lost


def log_loss(
    logits: NDArray[np.float64],
    label_index: NDArray[np.int64],
    weights: NDArray[np.float64],
    temperature: float = 1.0,
) -> float:
    """Weighted mean of log_losses().

    Args:
        logits: float64, shape (examples, labels).
        label_index: Column of each true label, shape (examples,).
        weights: Not negative, not all zero, shape (examples,).
        temperature: Divides the logits.
    """
    lost = log_losses(logits, label_index, temperature)
    return float(np.average(lost, weights=weights))


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How logits become probabilities: softmax((logits + bias) / temperature).

    Attributes:
        temperature: Divides the logits, from COOLEST to HOTTEST.
        bias: Added to the logits before, float64, shape (labels,).
    """

    temperature: float
    bias: NDArray[np.float64]


def fit_calibration(
    logits: NDArray[np.float64],
    label_index: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Calibration:
    """Return the temperature and the biases with the least log loss.

    Args:
        logits: Out-of-fold, float64, shape (examples, labels).
        label_index: Column of each true label, shape (examples,).
        weights: Inverse propensities, capped: asked windows are harder than the
            stream, and without weights the model would look worse than it is.

    Raises:
        ValueError: there are no examples, or a logit is not finite.
    """
    _require(logits)
    spoken = np.asarray(logits, dtype=np.float64)
    labels = int(spoken.shape[1])
    stiffness = STIFFNESS / len(spoken)

    def lost(sought: NDArray[np.float64]) -> float:
        # The logarithm of the temperature, and biases of calibrated logits.
        shifted = spoken + sought[1:] * math.exp(sought[0])
        bent = stiffness * float((sought[1:] ** 2).sum())
        return _lost(shifted, label_index, weights, math.exp(sought[0])) + bent

    narrow = (math.log(COOLEST), math.log(HOTTEST))
    found = minimize(
        lost,
        np.zeros(1 + labels),
        method="L-BFGS-B",
        bounds=[narrow, *[(-5.0, 5.0)] * labels],
    )
    temperature = math.exp(float(found.x[0]))
    return Calibration(temperature, found.x[1:] * temperature)


def fit_temperature(
    logits: NDArray[np.float64],
    label_index: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> float:
    """Return the temperature alone with the least log loss; see fit_calibration()."""
    _require(logits)
    spoken = np.asarray(logits, dtype=np.float64)
    found = minimize_scalar(
        lambda heat: _lost(spoken, label_index, weights, math.exp(float(heat))),
        bounds=(math.log(COOLEST), math.log(HOTTEST)),
        method="bounded",
    )
    return math.exp(float(found.x))


def _lost(
    logits: NDArray[np.float64],
    label_index: NDArray[np.int64],
    weights: NDArray[np.float64],
    temperature: float,
) -> float:
    """Log loss on the real examples and on the imagined ones."""
    imagined = SURPRISE * int(logits.shape[1])
    share = imagined / (imagined + len(logits))
    real = log_loss(logits, label_index, weights, temperature)
    chance = float(-log_softmax(logits / temperature, axis=-1).mean())
    return (1.0 - share) * real + share * chance


def _require(logits: NDArray[np.float64]) -> None:
    if len(logits) == 0 or not np.isfinite(logits).all():
        raise ValueError("a temperature needs finite logits of at least one example")
