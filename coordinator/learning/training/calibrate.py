"""What a trained network's words are worth: calibration on what no member learned from.

Each example is answered by the member that never saw its fold. One calibration is
fitted for whole windows, and one for every channel that may be absent, with that
channel masked: what an absent sensor costs in certainty is measured, not hoped for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coordinator.errors import TrainingError
from coordinator.model.calibration import (
    HOTTEST,
    Calibration,
    fit_calibration,
    fit_temperature,
    log_losses,
)
from coordinator.model.network import Network

MOST_MASKED: Final = 500
"""Examples, the newest, on which the cost of an absent channel is measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Examples to be answered by members that never saw them.

    Attributes:
        inputs: float32, shape (examples, channels, F or T); see Network.reads.
        fold: int64, shape (examples,): the member that never saw each.
        label_index: int64, shape (examples,).
        weights: Inverse propensities, capped, float64, shape (examples,).
        droppable: bool, shape (channels,): channels that may be absent.
    """

    inputs: Tensor
    fold: Tensor
    label_index: NDArray[np.int64]
    weights: NDArray[np.float64]
    droppable: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What the words of a network are worth.

    Attributes:
        logits: With the bias, by members that never saw the example, float64, shape
            (examples, labels).
        calibration: Of whole windows.
        heat: By what factor the temperature rises for each absent channel, as a
            logarithm of at least 0, float32, shape (channels,).
        losses: Log loss of each calibrated answer, in nats, shape (examples,).
        shares: Weight of each, their sum is 1, shape (examples,).
    """

    logits: NDArray[np.float64]
    calibration: Calibration
    heat: NDArray[np.float32]
    losses: NDArray[np.float64]
    shares: NDArray[np.float64]

    @property
    def loss(self) -> float:
        """Weighted mean of the losses."""
        return float((self.shares * self.losses).sum())


def calibrate(network: Network, asked: Asked) -> Measured:
    """Fit the calibration of a trained network.

    Raises:
        TrainingError: the training diverged.
    """
    spoken = out_of_fold(network, asked.inputs, asked.fold)
    found = fit_calibration(spoken, asked.label_index, asked.weights)
    spoken = spoken + found.bias
    return Measured(
        logits=spoken,
        calibration=found,
        heat=_heat(network, asked, found),
        losses=log_losses(spoken, asked.label_index, found.temperature),
        shares=asked.weights / asked.weights.sum(),
    )


def _heat(network: Network, asked: Asked, found: Calibration) -> NDArray[np.float32]:
    # Of a channel that was never masked while it learned nobody knows what it costs.
    channels = len(asked.droppable)
    most = math.log(HOTTEST)
    heat = np.full(channels, most, np.float32)
    newest = slice(max(0, len(asked.fold) - MOST_MASKED), None)
    inputs, fold = asked.inputs[newest], asked.fold[newest]
    for channel in torch.nonzero(asked.droppable).flatten().tolist():
        masked = inputs.clone()
        masked[:, channel] = 0.0
        spoken = out_of_fold(network, masked, fold) + found.bias
        temperature = fit_temperature(
            spoken, asked.label_index[newest], asked.weights[newest]
        )
        heat[channel] = max(0.0, math.log(temperature / found.temperature))
    return heat


def out_of_fold(network: Network, inputs: Tensor, fold: Tensor) -> NDArray[np.float64]:
    """Logits of each example by the member that never saw it: (N, L).

    Raises:
        TrainingError: an output is not finite.
    """
    with torch.inference_mode():
        logits = network.member_logits(inputs)  # (K, N, L)
        spoken = logits[fold, torch.arange(len(fold))]  # (N, L)
    numbers: NDArray[np.float64] = spoken.numpy().astype(np.float64)
    if not np.isfinite(numbers).all():
        raise TrainingError("the training diverged: an output is not finite.")
    return numbers
