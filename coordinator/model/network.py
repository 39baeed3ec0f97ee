"""The networks that learn by gradients, and what every network is.

Every network is an ensemble: its members learn from different folds of the examples, so
that each example has members that never saw it, and answer as one. Members lie in one
tensor and are computed together, which costs little more than one member does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from coordinator.model.features import PER_CHANNEL


class Reads(Enum):
    """What a network is given of a window."""

    FEATURES = "features"
    """Standardised statistics, (B, C, F)."""
    SCORES = "scores"
    """Standardised samples, (B, C, T)."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What must be known to build a network.

    Attributes:
        channels: Channels of a window.
        labels: Labels it tells apart.
        members: Networks that answer as one.
    """

    channels: int
    labels: int
    members: int


class Network(nn.Module):
    """Base of every network: an ensemble over windows of fixed channels.

    Attributes:
        reads: What it is given of a window.
        common: Members have learned layers in common: what one has seen, all have, so
            a fold is kept from all of them, on which they are calibrated.
    """

    reads: Reads
    common: bool = False

    def member_logits(self, inputs: Tensor) -> Tensor:
        """What each member says: (B, C, F or T) float32 -> (K, B, L)."""
        raise NotImplementedError

    def forward(self, inputs: Tensor) -> Tensor:
        """What the members say together: (B, C, F or T) float32 -> (B, L)."""
        return self.member_logits(inputs).mean(dim=0)

    def adopt(self, weights: dict[str, Tensor]) -> None:
        """Take weights from a file.

        Raises:
            RuntimeError, ValueError, KeyError: they do not fit this network.
        """
        self.load_state_dict(weights)

    def fold(self) -> None:
        """Make inference cheaper without changing any answer; not to be undone."""


class LinearNetwork(Network):
    """One linear map over the statistics: needs the fewest answers."""

    reads = Reads.FEATURES

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.channels * PER_CHANNEL
        self.weight = nn.Parameter(torch.zeros(sizes.members, width, sizes.labels))
        self.bias = nn.Parameter(torch.zeros(sizes.members, 1, sizes.labels))

    def member_logits(self, inputs: Tensor) -> Tensor:
        """See Network."""
        flat = functional.dropout(inputs.flatten(1), 0.3, self.training)  # (B, CF)
        return flat @ self.weight + self.bias  # (K, B, L)


class FeatureNetwork(Network):
    """One small hidden layer over the statistics."""

    reads = Reads.FEATURES
    HIDDEN: Final = 32
    DROPOUT: Final = 0.3

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width, members = sizes.channels * PER_CHANNEL, sizes.members
        hidden = self.HIDDEN
        self.inner = nn.Parameter(torch.randn(members, width, hidden) / width**0.5)
        self.inner_bias = nn.Parameter(torch.zeros(members, 1, hidden))
        self.outer = nn.Parameter(
            torch.randn(members, hidden, sizes.labels) / hidden**0.5
        )
        self.outer_bias = nn.Parameter(torch.zeros(members, 1, sizes.labels))

    def member_logits(self, inputs: Tensor) -> Tensor:
        """See Network."""
        flat = functional.dropout(inputs.flatten(1), self.DROPOUT, self.training)
        hidden = torch.relu(flat @ self.inner + self.inner_bias)  # (K, B, H)
        hidden = functional.dropout(hidden, self.DROPOUT, self.training)
        return hidden @ self.outer + self.outer_bias  # (K, B, L)


class ConvolutionNetwork(Network):
    """Three convolutions over the samples, members side by side as groups."""

    reads = Reads.SCORES
    WIDTHS: Final = (24, 48, 48)
    DROPOUT: Final = 0.2

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        members = sizes.members
        first, second, third = self.WIDTHS
        self.members = members
        self.layers = nn.ModuleList(
            [
                _Stage(members, sizes.channels, first, kernel=7, stride=2),
                _Stage(members, first, second, kernel=5, stride=2),
                _Stage(members, second, third, kernel=3, stride=1),
            ]
        )
        width = 2 * third
        self.outer = nn.Parameter(
            torch.randn(members, width, sizes.labels) / width**0.5
        )
        self.outer_bias = nn.Parameter(torch.zeros(members, 1, sizes.labels))

    def member_logits(self, inputs: Tensor) -> Tensor:
        """See Network."""
        x = inputs.repeat(1, self.members, 1)  # (B, KC, T)
        for layer in self.layers:
            x = torch.relu(layer(x))  # (B, KW, T')
        x = torch.stack([x.mean(dim=2), x.amax(dim=2)], dim=2)  # (B, KW, 2)
        x = x.reshape(len(x), self.members, -1)  # (B, K, 2W)
        x = functional.dropout(x, self.DROPOUT, self.training)
        return x.transpose(0, 1) @ self.outer + self.outer_bias  # (K, B, L)

    def fold(self) -> None:
        """Fuse each normalisation into its convolution; see Network."""
        for i, layer in enumerate(self.layers):
            if isinstance(layer, _Stage):
                self.layers[i] = fuse_conv_bn_eval(
                    layer.convolution, layer.normalisation
                )


class _Stage(nn.Module):
    """A convolution a member, normalised."""

    def __init__(
        self, members: int, inside: int, outside: int, *, kernel: int, stride: int
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(
            members * inside,
            members * outside,
            kernel,
            stride=stride,
            padding=kernel // 2,
            groups=members,
        )
        self.normalisation = nn.BatchNorm1d(members * outside)

    def forward(self, x: Tensor) -> Tensor:
        """(B, K * inside, T) -> (B, K * outside, T / stride)."""
        normalised: Tensor = self.normalisation(self.convolution(x))
        return normalised
