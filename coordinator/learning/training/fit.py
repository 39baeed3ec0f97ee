"""Snapshot -> artifact: choose a network, train, calibrate, learn what is familiar."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coordinator.errors import TrainingError
from coordinator.learning.training.calibrate import Asked, Measured, calibrate
from coordinator.learning.training.dataset import SPLIT, folds, frozen
from coordinator.learning.training.grow import FOREST, grow
from coordinator.learning.training.loop import Lesson, Recipe, Tick, train, warm_start
from coordinator.model import novelty, registry
from coordinator.model.artifact import Artifact, pack_weights, write_artifact
from coordinator.model.features import (
    Scaling,
    channel_scores,
    feature_scores,
    fit_feature_scaling,
    fit_scaling,
    window_features,
)
from coordinator.model.forest import ForestNetwork
from coordinator.model.loaded import (
    FAMILIAR,
    NETWORK_PREFIX,
    NOVELTY_PREFIX,
    Pipeline,
    canary_logits,
)
from coordinator.model.manifest import Manifest
from coordinator.model.network import Network, Reads, Sizes
from coordinator.model.registry import build
from coordinator.model.temporal import TEMPORAL
from coordinator.terms import NO_DIGEST, Snapshot

MEMBERS: Final = 5
"""Folds, and networks that answer as one."""
AUTO: Final = ("features-forest", "features-mlp", "features-linear")
"""What "auto" chooses from, the favourite first; "cnn" is there by name."""
RECIPES: Final = {
    "features-linear": Recipe(steps=150, learning_rate=4e-3, weight_decay=2.0),
    "features-mlp": Recipe(steps=150, learning_rate=1e-2, weight_decay=1.0),
    "cnn": Recipe(steps=120, learning_rate=1e-2, weight_decay=0.1),
    **{
        name: Recipe(steps=400, learning_rate=5e-3, weight_decay=0.1)
        for name in TEMPORAL
    },
}
OWN_RECIPE: Final = Recipe(steps=150, learning_rate=3e-3, weight_decay=0.1)
"""Of a plant's own network."""
LEAST_EXAMPLES: Final = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training is told besides its examples.

    Attributes:
        network: Name of a network, or "auto".
        seed: Makes the training repeatable on one machine.
        commit: Code that trains, for the manifest.
        recipes: How to train each network.
    """

    network: str = "auto"
    seed: int = 0
    commit: str = ""
    recipes: dict[str, Recipe] = field(default_factory=lambda: dict(RECIPES))


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What members said of examples they never saw.

    Attributes:
        rows: Rows of the snapshot, int64, shape (examples,).
        logits: float64, shape (examples, labels).
    """

    rows: NDArray[np.int64]
    logits: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A trained model on disk.

    Attributes:
        path: Its own folder.
        network: Name of the architecture.
        temperature: Its calibration.
        out_of_fold: What its members said of what they never saw.
    """

    path: Path
    network: str
    temperature: float
    out_of_fold: OutOfFold


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """The examples to learn from, in every form a network may want."""

    rows: NDArray[np.int64]
    scaling: Scaling
    feature_mean: Tensor
    feature_scale: Tensor
    inputs: dict[Reads, Tensor]
    label_index: NDArray[np.int64]
    weights: NDArray[np.float64]
    fold: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Contender:
    """One trained network, and how well it does on what it never saw.

    Attributes:
        name: Under which it was asked for.
        network: Trained.
        measured: On the examples that are fresh to some member of it.
        fresh: Which of the prepared examples these are, bool, shape (examples,).
    """

    name: str
    network: Network
    measured: Measured
    fresh: NDArray[np.bool_]


def fit(
    snapshot: Snapshot,
    plan: Plan,
    folder: Path,
    *,
    parent: Artifact | None,
    tick: Tick,
) -> Fitted:
    """Train on everything but the frozen share, and write the artifact.

    Args:
        snapshot: The examples.
        plan: What and how.
        folder: Where models live.
        parent: The serving model, to begin from; None begins fresh.
        tick: Told the share done; may raise to stop.

    Raises:
        TrainingError: there is no such network, too few examples, or only one label
            among them.
        ArtifactError: the disk refused.
    """
    if text := registry.objection(plan.network):
        raise TrainingError(text)
    prepared = _prepare(snapshot)
    names = AUTO if plan.network == registry.AUTO else (plan.network,)
    contenders = []
    for i, name in enumerate(names):
        share = _part(tick, i, len(names))
        contenders.append(_contend(name, snapshot, prepared, plan, parent, share))
    best = _best(contenders)
    return _write(best, snapshot, prepared, plan, folder, parent)


def _best(contenders: Sequence[_Contender]) -> _Contender:
    """The favourite, unless another is better by more than its standard error.

    A network that learned by gradients goes on where the examples end, and is sure of
    it; a forest does not. So a difference that may be chance does not count against it.
    """
    favourite = contenders[0]

    def gain(other: _Contender) -> float:
        share = favourite.measured.shares
        less = favourite.measured.losses - other.measured.losses  # (examples,)
        mean = float((share * less).sum())
        return mean - float(np.sqrt((share**2 * (less - mean) ** 2).sum()))

    best = max(contenders, key=gain)
    return best if gain(best) > 0.0 else favourite


def _prepare(snapshot: Snapshot) -> _Prepared:
    rows = np.flatnonzero(~frozen(snapshot.groups))
    label_index = snapshot.label_index[rows]
    if len(rows) < LEAST_EXAMPLES or len(np.unique(label_index)) < 2:
        raise TrainingError(
            f"{len(rows)} examples of {len(np.unique(label_index))} labels are too few "
            f"to learn from."
        )
    present = snapshot.present[rows]
    scaling = fit_scaling(snapshot.samples[rows], present)
    there = torch.from_numpy(present)
    scores = channel_scores(
        torch.from_numpy(snapshot.samples[rows]),
        there,
        torch.from_numpy(scaling.mean),
        torch.from_numpy(scaling.scale),
    )  # (N, C, T)
    features = window_features(scores)  # (N, C, F)
    mean, scale = fit_feature_scaling(features, there)
    return _Prepared(
        rows=rows,
        scaling=scaling,
        feature_mean=mean,
        feature_scale=scale,
        inputs={
            Reads.SCORES: scores,
            Reads.FEATURES: feature_scores(features, there, mean, scale),
        },
        label_index=label_index,
        weights=snapshot.weights[rows],
        fold=folds([snapshot.groups[row] for row in rows], MEMBERS),
    )


def _contend(
    name: str,
    snapshot: Snapshot,
    prepared: _Prepared,
    plan: Plan,
    parent: Artifact | None,
    tick: Tick,
) -> _Contender:
    torch.manual_seed(plan.seed)
    sizes = Sizes(len(snapshot.channel_names), len(snapshot.labels), MEMBERS)
    network = build(name, sizes)
    if parent is not None and _is_kin(parent, snapshot, name):
        known = {label: i for i, label in enumerate(parent.manifest.labels)}
        warm_start(
            network,
            {
                key.removeprefix(NETWORK_PREFIX): value
                for key, value in parent.tensors.items()
                if key.startswith(NETWORK_PREFIX)
            },
            [known.get(label) for label in snapshot.labels],
        )
    fold = torch.from_numpy(prepared.fold)  # (N,)
    inputs = prepared.inputs[network.reads]
    learns = torch.arange(MEMBERS)[:, None] != fold[None, :]  # (K, N)
    fresh = torch.ones_like(fold, dtype=torch.bool)  # (N,)
    if network.common:
        fresh = fold == 0
        learns &= ~fresh
        _require_some(prepared.label_index, fresh.numpy())
    lesson = Lesson(
        inputs=inputs,
        label_index=torch.from_numpy(prepared.label_index),
        weights=torch.ones(len(fold)),
        learns=learns,
        droppable=torch.tensor(
            [c in snapshot.tolerated for c in snapshot.channel_names]
        ),
    )
    if isinstance(network, ForestNetwork):
        grow(network, lesson, FOREST, plan.seed, tick)
    else:
        train(network, lesson, plan.recipes.get(name, OWN_RECIPE), tick)
    kept = fresh.numpy()
    asked = Asked(
        inputs[fresh],
        fold[fresh],
        prepared.label_index[kept],
        prepared.weights[kept],
        lesson.droppable,
    )
    return _Contender(name, network, calibrate(network, asked), kept)


def _require_some(label_index: NDArray[np.int64], fresh: NDArray[np.bool_]) -> None:
    """Refuse to calibrate on next to nothing, or to learn one label only."""
    if fresh.sum() < LEAST_EXAMPLES or len(np.unique(label_index[~fresh])) < 2:
        raise TrainingError(
            f"{len(fresh)} examples are too few for members that share layers."
        )


def _is_kin(parent: Artifact, snapshot: Snapshot, network: str) -> bool:
    """Whether a warm start is possible, and leaks no held-out example."""
    manifest = parent.manifest
    return (
        manifest.network == network
        and manifest.members == MEMBERS
        and manifest.split == SPLIT
        and tuple(manifest.channels) == snapshot.channel_names
    )


def _write(
    best: _Contender,
    snapshot: Snapshot,
    prepared: _Prepared,
    plan: Plan,
    folder: Path,
    parent: Artifact | None,
) -> Fitted:
    familiar = novelty.fit(
        torch.from_numpy(snapshot.samples[prepared.rows]),
        torch.from_numpy(snapshot.present[prepared.rows]),
        torch.tensor(_numbered([snapshot.groups[row] for row in prepared.rows])),
    )
    measured = best.measured
    tensors = {
        "feature.mean": prepared.feature_mean,
        "feature.scale": prepared.feature_scale,
        "calibration.bias": torch.tensor(
            measured.calibration.bias, dtype=torch.float32
        ),
        "calibration.heat": torch.from_numpy(measured.heat),
        **{NOVELTY_PREFIX + name: getattr(familiar, name) for name in FAMILIAR},
    }
    for name, value in best.network.state_dict().items():
        tensors[NETWORK_PREFIX + name] = value.detach().clone()
    weights, files = pack_weights(tensors)
    right = measured.logits.argmax(axis=1) == prepared.label_index[best.fresh]
    manifest = Manifest(
        files=files,
        network=best.name,
        members=MEMBERS,
        family=str(snapshot.family),
        channels=list(snapshot.channel_names),
        rows=snapshot.samples.shape[1],
        labels=list(snapshot.labels),
        channel_mean=prepared.scaling.mean.astype(float).tolist(),
        channel_scale=prepared.scaling.scale.astype(float).tolist(),
        temperature=measured.calibration.temperature,
        false_ask=novelty.FALSE_ASK,
        canary=[0.0] * len(snapshot.labels),
        snapshot=str(snapshot.digest),
        split=SPLIT,
        examples=len(prepared.rows),
        seed=plan.seed,
        metrics={
            "out_of_fold.log_loss": measured.loss,
            "out_of_fold.accuracy": float(right.mean()),
        },
        parent=str(parent.digest if parent is not None else NO_DIGEST),
        commit=plan.commit,
        torch=str(torch.__version__),
    )
    best.network.fold()
    pipeline = Pipeline(best.network, manifest, tensors)
    canary = canary_logits(pipeline, manifest).tolist()
    manifest = manifest.model_copy(update={"canary": canary})
    path = write_artifact(folder, manifest, weights)
    return Fitted(
        path,
        best.name,
        measured.calibration.temperature,
        OutOfFold(prepared.rows[best.fresh], measured.logits),
    )


def _numbered(names: Sequence[str]) -> list[int]:
    numbers: dict[str, int] = {}
    return [numbers.setdefault(name, len(numbers)) for name in names]


def _part(tick: Tick, index: int, count: int) -> Callable[[float], None]:
    """The share done of one part, as the share of the whole."""
    return lambda share: tick((index + min(share, 1.0)) / count)


def estimate_s(elapsed_s: float, share: float) -> float | None:
    """Seconds left at the present pace; None while nothing is known."""
    if not share > 0.02 or not math.isfinite(elapsed_s):
        return None
    return max(elapsed_s * (1.0 - share) / share, 0.0)


def use_threads(count: int) -> None:
    """Let torch use so many CPU threads in this process."""
    torch.set_num_threads(count)
