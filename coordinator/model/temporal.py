"""A temporal convolutional network: one trunk for all members, and a head for each.

The trunk sees further with every layer, without forgetting the single sample; the heads
cost next to nothing, so the ensemble is as cheap as one network. What the trunk learned
from, every member has learned from: no fold is fresh to it but one that is kept from
all of them (see Network.common).

A block is put in by its name, behind a plus: "tcn+attention".

Source:
    Bai, Kolter, Koltun, An Empirical Evaluation of Generic Convolutional and Recurrent
    Networks for Sequence Modeling, 2018.
    Ilse, Tomczak, Welling, Attention-based Deep Multiple Instance Learning, ICML 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from coordinator.model.network import Network, Reads, Sizes


class Attention(nn.Module):
    """Weighs moments against each other: where in the window it happened."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Conv1d(width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, W, T) -> (B, W): mean over moments, by their weights."""
        weights = torch.softmax(self.query(x), dim=2)  # (B, 1, T)
        return (weights * x).sum(dim=2)


class TemporalNetwork(Network):
    """Dilated convolutions with ways around them; members share them."""

    reads = Reads.SCORES
    common = True
    WIDTH: Final = 32
    DILATIONS: Final = (1, 2, 4, 8)
    DROPOUT: Final = 0.2

    def __init__(self, sizes: Sizes, *, attention: bool = False) -> None:
        super().__init__()
        self.enter = nn.Conv1d(sizes.channels, self.WIDTH, 5, padding=2)
        self.layers = nn.ModuleList(_Layer(self.WIDTH, d) for d in self.DILATIONS)
        self.attention = Attention(self.WIDTH) if attention else None
        width = (3 if attention else 2) * self.WIDTH
        self.outer = nn.Parameter(
            torch.randn(sizes.members, width, sizes.labels) / width**0.5
        )
        self.outer_bias = nn.Parameter(torch.zeros(sizes.members, 1, sizes.labels))

    def member_logits(self, inputs: Tensor) -> Tensor:
        """See Network."""
        x = torch.relu(self.enter(inputs))  # (B, W, T)
        for layer in self.layers:
            x = layer(x)
        pooled = [x.mean(dim=2), x.amax(dim=2)]
        if self.attention is not None:
            pooled.append(self.attention(x))
        flat = torch.cat(pooled, dim=1)  # (B, 2W or 3W)
        members = len(self.outer)
        # Each head drops other units, or the heads would be one.
        heads = functional.dropout(
            flat.expand(members, -1, -1), self.DROPOUT, self.training
        )
        return heads @ self.outer + self.outer_bias  # (K, B, L)

    def fold(self) -> None:
        """Fuse each normalisation into its convolution; see Network."""
        for layer in self.layers:
            if isinstance(layer, _Layer):
                layer.fold()


class _Layer(nn.Module):
    """One dilated convolution and the way around it."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.step: nn.Module = _Step(width, dilation)

    def forward(self, x: Tensor) -> Tensor:
        """(B, W, T) -> (B, W, T)."""
        return x + torch.relu(self.step(x))

    def fold(self) -> None:
        """Fuse; not to be undone."""
        if isinstance(self.step, _Step):
            self.step = fuse_conv_bn_eval(
                self.step.convolution, self.step.normalisation
            )


class _Step(nn.Module):
    """A dilated convolution, normalised."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(
            width, width, 3, padding=dilation, dilation=dilation
        )
        self.normalisation = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, W, T) -> (B, W, T)."""
        normalised: Tensor = self.normalisation(self.convolution(x))
        return normalised


def _attentive(sizes: Sizes) -> Network:
    return TemporalNetwork(sizes, attention=True)


TEMPORAL: Final[dict[str, Callable[[Sizes], Network]]] = {
    "tcn": TemporalNetwork,
    "tcn+attention": _attentive,
}
"""The network, plain and with the block, by name."""
