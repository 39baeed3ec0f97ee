"""Grow a forest: scikit-learn's extremely randomized trees, kept as plain tables.

scikit-learn grows the trees; nothing of it is kept. What remains are numbers, which
`coordinator.model.forest` computes in torch and an artifact holds without pickle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coordinator.learning.training.loop import Lesson, Tick
from coordinator.model.forest import MAXIMUM_DEPTH, ForestNetwork, Trees


@dataclass(frozen=True, slots=True)
class ForestRecipe:
    """How to grow.

    Attributes:
        trees: Of each member.
        leaves: Of each tree at most; bounds memory when there are many examples.
        share: Of the statistics that a node may choose from, in (0, 1].
        channel_dropout: Probability of masking a channel that may be absent.
    """

    trees: int = 60
    leaves: int = 512
    share: float = 0.2
    channel_dropout: float = 0.15


FOREST: Final = ForestRecipe()


def grow(
    network: ForestNetwork, lesson: Lesson, recipe: ForestRecipe, seed: int, tick: Tick
) -> None:
    """Grow all members; repeatable for one seed.

    Every label weighs the same, however rare it is: a fault is seldom, and a forest
    that may ignore it will. The temperature, fitted with the stream's own shares,
    brings the probabilities back.
    """
    # Its import takes a second, which only the process that trains has to pay.
    from sklearn.ensemble import ExtraTreesClassifier

    draws = np.random.default_rng(seed)
    flat = lesson.inputs.flatten(1).numpy()  # (N, CF)
    label_index, weights = lesson.label_index.numpy(), lesson.weights.numpy()
    labels = network.sizes.labels
    grown = []
    for member, learns in enumerate(lesson.learns.numpy()):
        rows = np.flatnonzero(learns)
        inputs, row = _with_gaps(lesson, flat, rows, recipe, draws)
        forest = ExtraTreesClassifier(
            n_estimators=recipe.trees,
            max_features=recipe.share,
            max_leaf_nodes=recipe.leaves,
            max_depth=MAXIMUM_DEPTH,
            class_weight="balanced",
            random_state=seed * 1_000 + member,
            n_jobs=1,
        )
        forest.fit(inputs, label_index[row], sample_weight=weights[row])
        grown.append(_tables(forest, labels))
        tick((member + 1) / len(lesson.learns))
    network.plant(_joined(grown))
    network.eval()


def _with_gaps(
    lesson: Lesson,
    flat: NDArray[np.float32],
    rows: NDArray[np.int64],
    recipe: ForestRecipe,
    draws: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Examples, and once more with channels masked as an absent sensor masks them."""
    droppable = lesson.droppable.numpy()  # (C,)
    if not droppable.any():
        return flat[rows], rows
    channels = len(droppable)
    gone = draws.random((len(rows), channels)) < recipe.channel_dropout  # (n, C)
    masked = flat[rows].reshape(len(rows), channels, -1).copy()  # (n, C, F)
    masked[gone & droppable] = 0.0
    both = np.concatenate([flat[rows], masked.reshape(len(rows), -1)])  # (2n, CF)
    return both, np.concatenate([rows, rows])


def _tables(forest: Any, labels: int) -> list[dict[str, NDArray[Any]]]:
    """The trees of one member, nodes numbered from 0 in each."""
    columns = forest.classes_.astype(np.int64)
    tables: list[dict[str, NDArray[Any]]] = []
    for estimator in forest.estimators_:
        tree = estimator.tree_
        own = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        left = np.where(leaf, own, tree.children_left)
        right = np.where(leaf, own, tree.children_right)
        shares = np.zeros((tree.node_count, labels), np.float32)
        value = tree.value[:, 0, :]
        shares[:, columns] = value / value.sum(axis=1, keepdims=True)
        tables.append(
            {
                "feature": np.where(leaf, 0, tree.feature).astype(np.int64),
                "threshold": _rounded_down(np.where(leaf, 0.0, tree.threshold)),
                "branches": np.stack([left, right], axis=1).astype(np.int64),
                "shares": shares,
                "depth": np.array(tree.max_depth),
            }
        )
    return tables


def _rounded_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """Thresholds as float32 that part float32 values exactly as float64 ones did."""
    near = threshold.astype(np.float32)
    lower = np.nextafter(near, np.float32(-np.inf))
    rounded: NDArray[np.float32] = np.where(near > threshold, lower, near)
    return rounded


def _joined(members: list[list[dict[str, NDArray[Any]]]]) -> Trees:
    tables = [table for member in members for table in member]
    sizes = np.array([len(table["feature"]) for table in tables])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)

    def stacked(name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([table[name] for table in tables]))

    shift = torch.from_numpy(np.repeat(starts, sizes))  # (nodes,)
    return Trees(
        roots=torch.from_numpy(starts).reshape(len(members), -1),
        feature=stacked("feature"),
        threshold=stacked("threshold"),
        branches=stacked("branches") + shift[:, None],
        shares=stacked("shares"),
        depth=max(int(table["depth"]) for table in tables),
    )
