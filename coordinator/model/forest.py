"""A forest of decision trees over the statistics of a window, computed in torch.

On a few hundred answers trees beat every network here: they need no scaling, ignore
what does not matter, and say "three of ten trees" where a network says 0.99. A tree
is a table of nodes: which statistic, against what threshold, which node next. All
trees of all members lie in one table and take each step together.

Source:
    Geurts, Ernst, Wehenkel, Extremely randomized trees, Machine Learning 63, 2006.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from coordinator.model.features import PER_CHANNEL
from coordinator.model.network import Network, Reads, Sizes

FLOOR: Final = 0.005
"""Least share of a label: that no tree of a few dozen said it proves little."""
MAXIMUM_DEPTH: Final = 64
"""Steps from a root to a leaf at most."""
MAXIMUM_NODES: Final = 16_777_216
"""Nodes of all trees at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """All nodes of all trees; the nodes of one tree lie together.

    A leaf is its own child. Numbers of nodes count through the whole table.

    Attributes:
        roots: int64, shape (members, trees): root of each tree.
        feature: int64, shape (nodes,): column of the statistics to look at.
        threshold: float32, shape (nodes,): up to here left, above right.
        branches: int64, shape (nodes, 2): node to the left and to the right.
        shares: float32, shape (nodes, labels): shares of the labels at the node.
        depth: Steps from a root to the deepest leaf.
    """

    roots: Tensor
    feature: Tensor
    threshold: Tensor
    branches: Tensor
    shares: Tensor
    depth: int


class ForestNetwork(Network):
    """Trees over the statistics: the members learned from different folds."""

    reads = Reads.FEATURES

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.plant(
            # One leaf that knows nothing, so that the unplanted forest answers too.
            Trees(
                roots=torch.zeros(sizes.members, 1, dtype=torch.int64),
                feature=torch.zeros(1, dtype=torch.int64),
                threshold=torch.zeros(1),
                branches=torch.zeros(1, 2, dtype=torch.int64),
                shares=torch.full((1, sizes.labels), 1.0 / sizes.labels),
                depth=0,
            )
        )

    def plant(self, trees: Trees) -> None:
        """Take these trees.

        Raises:
            ValueError: they are not trees over these channels and labels.
        """
        _check(trees, self.sizes)
        self.register_buffer("roots", trees.roots)
        self.register_buffer("feature", trees.feature)
        self.register_buffer("threshold", trees.threshold)
        self.register_buffer("branches", trees.branches)
        self.register_buffer("shares", trees.shares)
        self.register_buffer("depth", torch.tensor(trees.depth))
        self._steps = trees.depth

    def adopt(self, weights: dict[str, Tensor]) -> None:
        """See Network."""
        self.plant(
            Trees(
                roots=weights["roots"],
                feature=weights["feature"],
                threshold=weights["threshold"],
                branches=weights["branches"],
                shares=weights["shares"],
                depth=int(weights["depth"]),
            )
        )

    def member_logits(self, inputs: Tensor) -> Tensor:
        """See Network."""
        return _logits(self._member_shares(inputs))

    def forward(self, inputs: Tensor) -> Tensor:
        """See Network. Trees vote; their votes are counted before the logarithm."""
        return _logits(self._member_shares(inputs).mean(dim=0))

    def _member_shares(self, inputs: Tensor) -> Tensor:
        """What the trees of each member say: (B, C, F) -> (K, B, L)."""
        buffers = dict(self.named_buffers())
        roots, branches = buffers["roots"], buffers["branches"]
        flat = inputs.flatten(1)  # (B, CF)
        members, trees = roots.shape
        node = roots.reshape(1, -1).expand(len(flat), -1)  # (B, KM)
        following = branches.reshape(-1)  # (2N,)
        for _ in range(self._steps):
            value = flat.gather(1, buffers["feature"][node])  # (B, KM)
            # A NaN compares false and goes left; novelty is NaN then, which holds.
            right = value > buffers["threshold"][node]  # (B, KM)
            node = following[2 * node + right.to(torch.int64)]  # (B, KM)
        shares = buffers["shares"][node]  # (B, KM, L)
        shares = shares.reshape(len(flat), members, trees, -1).mean(dim=2)  # (B, K, L)
        return shares.transpose(0, 1)  # (K, B, L)


def _logits(shares: Tensor) -> Tensor:
    """Shares to logits, with a floor: (..., L) -> (..., L)."""
    labels = shares.shape[-1]
    return ((1.0 - labels * FLOOR) * shares + FLOOR).log()


def _check(trees: Trees, sizes: Sizes) -> None:
    nodes = len(trees.feature)
    whole = (trees.roots, trees.feature, trees.branches)
    real = (trees.threshold, trees.shares)
    if any(tensor.dtype != torch.int64 for tensor in whole) or any(
        tensor.dtype != torch.float32 for tensor in real
    ):
        raise ValueError("a table of the forest has another type of number")
    shapes = (
        trees.roots.dim() == 2 and trees.roots.shape[0] == sizes.members,
        trees.feature.shape == (nodes,),
        trees.threshold.shape == (nodes,),
        trees.branches.shape == (nodes, 2),
        trees.shares.shape == (nodes, sizes.labels),
        0 < nodes <= MAXIMUM_NODES,
        0 <= trees.depth <= MAXIMUM_DEPTH,
    )
    if not all(shapes) or not trees.roots.numel():
        raise ValueError("a table of the forest has another shape")
    for tensor, limit in (
        (trees.roots, nodes),
        (trees.branches, nodes),
        (trees.feature, sizes.channels * PER_CHANNEL),
    ):
        if bool((tensor < 0).any()) or bool((tensor >= limit).any()):
            raise ValueError("a node of the forest points outside")
    shares = trees.shares
    if not bool((shares >= 0.0).all()) or not bool(
        ((shares.sum(dim=1) - 1.0).abs() < 1e-3).all()
    ):
        raise ValueError("the shares of a leaf are none")
