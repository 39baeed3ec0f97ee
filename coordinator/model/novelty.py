"""Novelty: how far a window lies from every window the model learned from.

Confidence does not fall when the world changes; distance grows. The distance is taken
in the directions in which the examples vary most, each scaled to their spread, to the
nearest examples, and divided by the distance that familiar windows keep: 1.0 is the
edge of the familiar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

NEIGHBOURS: Final = 3
"""The distance is the mean over so many nearest examples."""
AXES: Final = 12
"""Directions kept; fewer when there are few examples."""
EDGE_QUANTILE: Final = 0.98
"""Share of the examples that must look familiar to the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Familiar:
    """Where the windows of a training lie.

    Attributes:
        axes: float32, shape (features, axes): onto directions of unit spread.
        points: float32, shape (examples, axes): the examples.
        edge: Distance at the edge of the familiar, above zero.
    """

    axes: Tensor
    points: Tensor
    edge: float

    def novelty(self, scores: Tensor) -> Tensor:
        """Distance in units of the edge: (B, features) -> (B,); NaN stays NaN."""
        near = _nearest(scores @ self.axes, self.points, NEIGHBOURS)
        return near / self.edge


def fit(scores: Tensor, groups: Tensor) -> Familiar:
    """Learn what is familiar.

    Args:
        scores: Standardised statistics, float32, shape (examples, features).
        groups: int64, shape (examples,): windows of one group do not vouch for each
            other, because neighbours in time are always alike.
    """
    centred = scores - scores.mean(dim=0)
    wanted = max(1, min(AXES, (len(scores) - 1) // 4))
    _, singular, rows = torch.linalg.svd(centred, full_matrices=False)
    spread = singular[:wanted] / max(len(scores) - 1, 1) ** 0.5  # (axes,)
    axes = rows[:wanted].T / spread.clamp(min=1e-6)  # (features, axes)
    points = scores @ axes  # (examples, axes)
    near = _nearest(points, points, NEIGHBOURS, groups=groups)
    near = near[torch.isfinite(near)]
    edge = float(near.quantile(EDGE_QUANTILE)) if len(near) else 0.0
    return Familiar(axes, points, edge if edge > 0.0 else 1.0)


def _nearest(
    points: Tensor, known: Tensor, count: int, groups: Tensor | None = None
) -> Tensor:
    distances = torch.cdist(points, known)  # (B, examples)
    if groups is not None:
        alike = groups[:, None] == groups[None, :]
        distances = distances.masked_fill(alike, torch.inf)
    count = min(count, known.shape[0])
    # topk would take NaN for the farthest; the sum keeps a NaN visible.
    return distances.topk(count, dim=1, largest=False).values.mean(dim=1)
