"""Novelty: how far a window leaves what any example of the training looked like.

Confidence does not fall when the world changes. What does change is that statistics of
a window lie where no example's ever lay: another robot, part, person or operation
leaves many of the ranges that the training has seen, a familiar window hardly one. The
score is the mean distance by which they are left, in units of their width, and beyond
a tolerance: a slow drift leaves ranges too, by little, and changes nothing.

What counts as too far is not guessed. Every example is scored by the ranges of others,
of groups it does not belong to, and so is compared with what new and familiar windows
score. The share of those that score as high or higher is a conformal p-value: a window
like the examples has one of FALSE_ASK or less with a probability of FALSE_ASK at most.
Novelty is that p-value on a scale where 0 is the most ordinary and 1 the declared edge.

Source:
    Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World, 2005.
    Lee, Barber, Willett, Distribution-free inference with hierarchical data, 2023.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from coordinator.model.features import describe

FALSE_ASK: Final = 0.05
"""Share of windows like those of the training that may be called novel."""
FOLDS: Final = 5
"""Parts of the groups; each is scored by the ranges of the others."""
ENOUGH_GROUPS: Final = 40
"""Groups from which on groups are counted, not windows: two at the edge at least."""
TOLERANCE: Final = 0.1
"""Share of its width by which a range may be left: sensors drift, and parts vary."""
_LEAST_WIDTH: Final = 1e-3
_LEAST_SCORE: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Familiar:
    """What the windows of a training looked like.

    Attributes:
        centre: float32, shape (channels,): middle value of each channel, in its unit.
        scale: float32, shape (channels,): its usual distance from there, above zero.
        middle: float32, shape (channels, statistics): middle of each statistic.
        spread: float32, shape (channels, statistics): its usual distance, above zero.
        low: float32, shape (channels, statistics): least of any example.
        high: float32, shape (channels, statistics): greatest of any example.
        scores: float32, shape (steps,): scores of examples, rising.
        novelties: float32, shape (steps,): the novelty at each of them, rising.
    """

    centre: Tensor
    scale: Tensor
    middle: Tensor
    spread: Tensor
    low: Tensor
    high: Tensor
    scores: Tensor
    novelties: Tensor

    def places(self, samples: Tensor, present: Tensor) -> Tensor:
        """Statistics of windows, comparable: (B, T, C), (B, C) -> (B, C, S).

        Heavy tails are drawn in, twice: one collision must not hide all other forces.
        """
        found = _statistics(samples, present, self.centre, self.scale)  # (B, C, S)
        return torch.asinh((found - self.middle) / self.spread)

    def novelty(self, samples: Tensor, present: Tensor) -> Tensor:
        """Novelty of windows: (B, T, C), (B, C) -> (B,); NaN stays NaN.

        A channel that is absent from a window says nothing about it.
        """
        score = _left(self.places(samples, present), present, self.low, self.high)
        return self._scaled(score)

    def _scaled(self, score: Tensor) -> Tensor:
        last = len(self.scores) - 1
        above = torch.searchsorted(self.scores, score.detach()).clamp(max=last)  # (B,)
        below = (above - 1).clamp(min=0)
        step = (self.scores[above] - self.scores[below]).clamp(min=1e-12)
        part = ((score - self.scores[below]) / step).clamp(0.0, 1.0)
        # Between two examples the p-value is that of the upper one or more.
        rise = self.novelties[above] - self.novelties[below]
        inside = self.novelties[below] + part * rise
        beyond = self.novelties[last].clamp(min=1.0) * (
            score / self.scores[last].clamp(min=_LEAST_SCORE)
        )
        return torch.where(score > self.scores[last], beyond, inside)


def fit(samples: Tensor, present: Tensor, groups: Tensor) -> Familiar:
    """Learn what is familiar.

    Args:
        samples: float32, shape (examples, T, channels).
        present: bool, shape (examples, channels).
        groups: int64, shape (examples,): windows of one group do not vouch for each
            other, because neighbours in time are always alike.
    """
    there = present[:, None, :].expand_as(samples)
    centre, scale = _usual(samples.flatten(0, 1), there.flatten(0, 1))
    found = _statistics(samples, present, centre, scale)  # (N, C, S)
    every = present[:, :, None].expand_as(found)
    middle, spread = _usual(found.flatten(1), every.flatten(1))
    middle, spread = middle.view_as(found[0]), spread.view_as(found[0])
    places = torch.asinh((found - middle) / spread)
    low, high = _ranges(places, present)
    scores, novelties = _ladder(places, present, groups)
    return Familiar(centre, scale, middle, spread, low, high, scores, novelties)


def _statistics(
    samples: Tensor, present: Tensor, centre: Tensor, scale: Tensor
) -> Tensor:
    """Statistics of channels, tails drawn in: (B, T, C), (B, C) -> (B, C, S)."""
    scores = (samples - centre) / scale  # (B, T, C)
    scores = scores * (1.0 + scores.abs()).rsqrt()
    scores = torch.where(present[:, None, :], scores, 0.0)
    return describe(scores.transpose(1, 2).contiguous())


def _usual(values: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """Median and half the distance of the middle two thirds: (N, D) -> 2 x (D,)."""
    levels = torch.tensor([0.16, 0.5, 0.84], dtype=values.dtype)
    known = torch.where(there, values, torch.nan)
    low, middle, high = _quantiles(known, levels)
    mean = known.nanmean(dim=0)
    wide = ((known - mean) ** 2).nanmean(dim=0).sqrt()
    scale = (high - low) / 2.0
    # What is at rest most of the time has no usual distance, but rare large ones.
    scale = torch.where(scale > 1e-3 * wide, scale, wide)
    scale = torch.where(scale > 1e-6, scale, torch.ones_like(scale))
    return middle.nan_to_num(), scale.nan_to_num(nan=1.0)


def _quantiles(values: Tensor, levels: Tensor) -> Tensor:
    """Quantiles of each column, column by column: torch limits what it sorts at once.

    A long recording is thinned out evenly; its quantiles stay where they are.
    """
    step = -(-len(values) // 100_000)
    columns = values[::step].unbind(dim=1)
    return torch.stack([column.nanquantile(levels) for column in columns], dim=1)


def _ranges(places: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    """Least and greatest of each statistic: (N, C, S), (N, C) -> 2 x (C, S)."""
    there = present[:, :, None]
    low = torch.where(there, places, torch.inf).amin(dim=0)
    high = torch.where(there, places, -torch.inf).amax(dim=0)
    never = low > high
    # A channel that no example had: whatever it says is new.
    return low.masked_fill(never, 0.0), high.masked_fill(never, 0.0)


def _left(places: Tensor, present: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """By how much ranges are left, in the mean: (B, C, S), (B, C) -> (B,)."""
    width = (high - low).clamp(min=_LEAST_WIDTH)
    below, above = low - TOLERANCE * width, high + TOLERANCE * width
    beyond = (below - places).clamp(min=0.0) + (places - above).clamp(min=0.0)
    share = (beyond / width).clamp(max=1.0).mean(dim=2)  # (B, C)
    share = torch.where(present, share, 0.0)
    return share.sum(dim=1) / present.sum(dim=1).clamp(min=1)


def _ladder(places: Tensor, present: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Scores of examples among others, rising, and the novelty of each: 2 x (steps,).

    The p-value of a score is the weight of the examples that score as high or higher,
    one more window counted with them: the one that is asked about.
    """
    names, group = torch.unique(groups, return_inverse=True)
    if len(names) < FOLDS:
        # Too few to leave one out: windows vouch for each other, and more is asked.
        names = group = torch.arange(len(groups))
    if len(names) < FOLDS:
        # Nobody to compare with: all that leaves the ranges is new.
        return torch.zeros(1), torch.zeros(1)
    generator = torch.Generator().manual_seed(0)
    fold = torch.randperm(len(names), generator=generator)[group] % FOLDS
    scores, kept = [], []
    for part in torch.unique(fold):
        others, own = fold != part, fold == part
        low, high = _ranges(places[others], present[others])
        scores.append(_left(places[own], present[own], low, high))
        kept.append(group[own])
    found, order = torch.cat(scores).sort()
    member = torch.cat(kept)[order]
    sizes = torch.bincount(member).to(torch.float64)
    units = torch.ones_like(found, dtype=torch.float64)
    count = float(len(found))
    if len(names) >= ENOUGH_GROUPS:
        units, count = 1.0 / sizes[member], float(len(names))
    upward = units.flip(0).cumsum(0).flip(0)  # weight of this score and all above
    first = torch.searchsorted(found, found)  # equal scores have equal p-values
    chance = ((upward[first] + 1.0) / (count + 1.0)).clamp(max=1.0)
    novelties = chance.log() / math.log(FALSE_ASK)
    return found, novelties.to(torch.float32)
