"""A window as a few numbers: near in them are windows that look nearly the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coordinator.model.features import (
    Scaling,
    channel_scores,
    feature_scores,
    fit_feature_scaling,
    fit_scaling,
    window_features,
)

NUMBERS: Final = 32
"""Of a sketch: distances in so many random directions are those in all, to a tenth."""
BATCH: Final = 64
_SEED: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class Sketcher:
    """Draws sketches that can be compared with each other. Blocking.

    Attributes:
        scaling: Of the channels.
        mean: Of the statistics, shape (channels, statistics).
        scale: Of the statistics, shape (channels, statistics).
        directions: float32, shape (channels x statistics, NUMBERS).
    """

    scaling: Scaling
    mean: Tensor
    scale: Tensor
    directions: Tensor

    @classmethod
    def fit(cls, samples: NDArray[np.float32], present: NDArray[np.bool_]) -> Self:
        """Learn from some windows what their spread is.

        Args:
            samples: float32, shape (windows, samples, channels).
            present: bool, shape (windows, channels).
        """
        scaling = fit_scaling(samples, present)
        features = torch.cat(
            [_features(scaling, *part)[0] for part in _parts(samples, present)]
        )  # (B, C, F)
        mean, scale = fit_feature_scaling(features, torch.from_numpy(present))
        width = features[0].numel()
        noise = torch.Generator().manual_seed(_SEED)
        directions = torch.randn(width, NUMBERS, generator=noise) / NUMBERS**0.5
        return cls(scaling, mean, scale, directions)

    def sketch(
        self, samples: NDArray[np.float32], present: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Return float32, shape (windows, NUMBERS); arguments as in fit()."""
        drawn = []
        for part in _parts(samples, present):
            features, there = _features(self.scaling, *part)  # (B, C, F)
            scores = feature_scores(features, there, self.mean, self.scale)
            drawn.append((scores.flatten(1) @ self.directions).numpy())
        return np.concatenate(drawn) if drawn else np.zeros((0, NUMBERS), np.float32)


def _parts(
    samples: NDArray[np.float32], present: NDArray[np.bool_]
) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    starts = range(0, len(samples), BATCH)
    return [(samples[i : i + BATCH], present[i : i + BATCH]) for i in starts]


def _features(
    scaling: Scaling, samples: NDArray[np.float32], present: NDArray[np.bool_]
) -> tuple[Tensor, Tensor]:
    there = torch.from_numpy(present)
    scores = channel_scores(
        torch.from_numpy(samples),
        there,
        torch.from_numpy(scaling.mean),
        torch.from_numpy(scaling.scale),
    )  # (B, C, T)
    return window_features(scores), there  # (B, C, F), (B, C)
