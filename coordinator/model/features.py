"""Statistics of a window: what a small network learns from a few dozen answers.

A window of 128 x 24 numbers has far more dimensions than a morning has answers. The
statistics below say where in the window each channel was, and how much and how suddenly
it moved; on forty answers a small network over them beats one over raw samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

SEGMENTS: Final = 8
"""Equal parts of a window that are described one by one."""
WHOLE: Final = ("mean", "std", "min", "max", "slope", "step_mean", "step_max")
PER_CHANNEL: Final = len(WHOLE) + 4 * SEGMENTS
"""Statistics of one channel; a window shorter than SEGMENTS repeats rows."""
DESCRIBED: Final = len(WHOLE) + SEGMENTS
"""Of these, what describe() tells."""
FEATURE_LIMIT: Final = 6.0
"""Standardised statistics beyond this are cut: the networks never saw further."""
_LEAST_SCALE: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """What makes channels of different units comparable.

    Attributes:
        mean: float32, shape (channels,), in the channel's unit.
        scale: float32, shape (channels,), in the channel's unit, above zero.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]


def fit_scaling(samples: NDArray[np.float32], present: NDArray[np.bool_]) -> Scaling:
    """Mean and standard deviation of every channel where it is present.

    Args:
        samples: float32, shape (windows, samples, channels).
        present: bool, shape (windows, channels).
    """
    there = np.broadcast_to(present[:, None, :], samples.shape)
    count = np.maximum(there.sum(axis=(0, 1)), 1)
    values = np.where(there, samples, 0.0).astype(np.float64)
    mean = values.sum(axis=(0, 1)) / count
    spread = np.where(there, values - mean, 0.0)
    scale = np.sqrt((spread**2).sum(axis=(0, 1)) / count)
    # A channel that never moved says nothing; divided by its noise it would shout.
    scale = np.where(scale > _LEAST_SCALE, scale, 1.0)
    return Scaling(mean.astype(np.float32), scale.astype(np.float32))


def channel_scores(
    samples: Tensor, present: Tensor, mean: Tensor, scale: Tensor
) -> Tensor:
    """Standardise channels and mask absent ones: (B, T, C) -> (B, C, T)."""
    scores = (samples - mean) / scale  # (B, T, C)
    scores = torch.where(present[:, None, :], scores, 0.0)  # (B, T, C)
    return scores.transpose(1, 2).contiguous()  # (B, C, T)


def window_features(scores: Tensor) -> Tensor:
    """Describe each channel by PER_CHANNEL statistics: (B, C, T) -> (B, C, F)."""
    mean = scores.mean(dim=2, keepdim=True)  # (B, C, 1)
    centred = scores - mean  # (B, C, T)
    parts = functional.adaptive_avg_pool1d(centred, SEGMENTS)  # (B, C, S)
    squares = functional.adaptive_avg_pool1d(centred * centred, SEGMENTS)  # (B, C, S)
    return torch.cat(
        [
            *_whole(scores, mean, centred),
            parts + mean,
            (squares - parts * parts).clamp(min=0.0).sqrt(),
            functional.adaptive_max_pool1d(scores, SEGMENTS),
            -functional.adaptive_max_pool1d(-scores, SEGMENTS),
        ],
        dim=2,
    )  # (B, C, F)


def describe(scores: Tensor) -> Tensor:
    """Describe each channel as a whole and by its course: (B, C, T) -> (B, C, W + S).

    The first of the statistics above: enough to see that a window is unlike others.
    """
    mean = scores.mean(dim=2, keepdim=True)  # (B, C, 1)
    parts = functional.adaptive_avg_pool1d(scores, SEGMENTS)  # (B, C, S)
    return torch.cat([*_whole(scores, mean, scores - mean), parts], dim=2)


def _whole(scores: Tensor, mean: Tensor, centred: Tensor) -> list[Tensor]:
    """The statistics of WHOLE: (B, C, T), (B, C, 1), (B, C, T) -> each (B, C, 1)."""
    rows = scores.shape[2]
    ramp = torch.linspace(-1.0, 1.0, rows, dtype=scores.dtype, device=scores.device)
    steps = scores.diff(dim=2).abs()  # (B, C, T - 1)
    return [
        mean,
        (centred * centred).mean(dim=2, keepdim=True).sqrt(),
        scores.amin(dim=2, keepdim=True),
        scores.amax(dim=2, keepdim=True),
        (centred * ramp).mean(dim=2, keepdim=True),
        steps.mean(dim=2, keepdim=True),
        steps.amax(dim=2, keepdim=True),
    ]


def feature_scores(
    features: Tensor, present: Tensor, mean: Tensor, scale: Tensor
) -> Tensor:
    """Standardise statistics, mask absent channels: (B, C, F) -> (B, C, F)."""
    scores = (features - mean) / scale
    scores = torch.where(present[:, :, None], scores, 0.0)
    return scores.clamp(-FEATURE_LIMIT, FEATURE_LIMIT)


def fit_feature_scaling(features: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every statistic: (B, C, F) -> 2 x (C, F)."""
    there = present[:, :, None].to(torch.float64)  # (B, C, 1)
    count = there.sum(dim=0).clamp(min=1.0)  # (C, 1)
    values = features.to(torch.float64)
    mean = (values * there).sum(dim=0) / count  # (C, F)
    spread = (((values - mean) * there) ** 2).sum(dim=0) / count
    scale = spread.sqrt()
    scale = torch.where(scale > _LEAST_SCALE, scale, torch.ones_like(scale))
    return mean.to(torch.float32), scale.to(torch.float32)
