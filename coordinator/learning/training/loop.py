"""One training, on arrays: the page to read to know how andon's networks learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from coordinator.learning.training.optimiser import AdamW
from coordinator.model.network import Network

BATCH: Final = 256
"""Examples of one step at most."""
KEEP: Final = 0.5
"""Share of the parent's weights that a warm start keeps; the rest is new noise.

Source:
    Ash & Adams, On Warm-Starting Neural Network Training, NeurIPS 2020: shrunk and
    perturbed weights start fast and still end where fresh ones do.
"""
Tick = Callable[[float], None]
"""Called with the share done, in [0, 1]; may raise to stop the training."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Attributes:
        steps: Steps of the optimiser.
        learning_rate: Peak, of a one-cycle schedule.
        weight_decay: Of AdamW.
        smoothing: Label smoothing, in [0, 1): people err too.
        channel_dropout: Probability of masking a channel that may be absent.
    """

    steps: int
    learning_rate: float
    weight_decay: float
    smoothing: float = 0.0
    channel_dropout: float = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What to learn.

    Attributes:
        inputs: float32, shape (examples, channels, F or T); see Network.reads.
        label_index: int64, shape (examples,).
        weights: float32, shape (examples,).
        learns: bool, shape (members, examples): which member may learn from which.
        droppable: bool, shape (channels,): channels that may be absent.
    """

    inputs: Tensor
    label_index: Tensor
    weights: Tensor
    learns: Tensor
    droppable: Tensor


def train(network: Network, lesson: Lesson, recipe: Recipe, tick: Tick) -> None:
    """Train all members at once; repeatable for one state of torch's generator."""
    network.train()
    optimiser = AdamW(
        network.parameters(),
        steps=recipe.steps,
        peak=recipe.learning_rate,
        decay=recipe.weight_decay,
    )
    examples = len(lesson.label_index)
    order = torch.randperm(examples)
    start = 0
    for step in range(recipe.steps):
        if start >= examples:
            order, start = torch.randperm(examples), 0
        rows = order[start : start + BATCH]  # (B,)
        start += BATCH
        inputs = _without_some(lesson.inputs[rows], lesson.droppable, recipe)
        logits = network.member_logits(inputs)  # (K, B, L)
        loss = _loss(logits, lesson, rows, recipe.smoothing)
        optimiser.clear()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        tick((step + 1) / recipe.steps)
    network.eval()


def _loss(logits: Tensor, lesson: Lesson, rows: Tensor, smoothing: float) -> Tensor:
    members, count, labels = logits.shape
    truth = lesson.label_index[rows].repeat(members)  # (KB,)
    lost = functional.cross_entropy(
        logits.reshape(-1, labels), truth, reduction="none", label_smoothing=smoothing
    ).view(members, count)  # (K, B)
    share = lesson.learns[:, rows] * lesson.weights[rows]  # (K, B)
    # A sum over members: each one's gradient is what it would be alone.
    return ((lost * share).sum(dim=1) / share.sum(dim=1).clamp(min=1e-9)).sum()


def _without_some(inputs: Tensor, droppable: Tensor, recipe: Recipe) -> Tensor:
    """Mask channels as an absent sensor does: (B, C, F) -> (B, C, F)."""
    if not bool(droppable.any()):
        return inputs
    gone = torch.rand(inputs.shape[:2]) < recipe.channel_dropout  # (B, C)
    return inputs.masked_fill((gone & droppable)[:, :, None], 0.0)


def warm_start(
    network: Network, parent: dict[str, Tensor], label_columns: list[int | None]
) -> bool:
    """Begin from a parent's weights, shrunk, beside the network's own fresh noise.

    Args:
        network: Fresh; changed in place.
        parent: The parent's weights, by the same names.
        label_columns: For each label, its column in the parent; None when it is new.

    Returns:
        Whether the parent's weights fitted.
    """
    state = network.state_dict()
    columns = [column for column in label_columns if column is not None]
    fitted = False
    for name, fresh in state.items():
        old = parent.get(name)
        if old is None or not fresh.is_floating_point() or "running" in name:
            continue
        if name.startswith(("outer", "weight", "bias")) and old.dim() == fresh.dim():
            aligned = torch.zeros_like(fresh)
            new = [i for i, column in enumerate(label_columns) if column is not None]
            if old.shape[:-1] != fresh.shape[:-1]:
                continue
            aligned[..., new] = old[..., columns]
            old = aligned
        if old.shape == fresh.shape:
            fresh.mul_(1.0 - KEEP).add_(old, alpha=KEEP)
            fitted = True
    return fitted
