"""A forest: the trees that scikit-learn grew, bit for bit, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import metadata

import numpy as np
import pytest
import torch
from sklearn.ensemble import ExtraTreesClassifier

from coordinator.errors import ArtifactError
from coordinator.learning.training.grow import ForestRecipe, grow
from coordinator.learning.training.loop import Lesson
from coordinator.model import registry
from coordinator.model.features import PER_CHANNEL
from coordinator.model.forest import MAXIMUM_DEPTH, ForestNetwork, Trees
from coordinator.model.network import LinearNetwork, Sizes

SIZES = Sizes(channels=2, labels=3, members=2)
RECIPE = ForestRecipe(trees=7)


def lesson(*, droppable: bool = False) -> Lesson:
    draws = np.random.default_rng(3)
    inputs = draws.normal(size=(60, 2, PER_CHANNEL)).astype(np.float32)
    label_index = (inputs[:, 0, 0] > 0).astype(np.int64) + (inputs[:, 1, 3] > 0.5)
    fold = torch.arange(60) % 2
    return Lesson(
        inputs=torch.from_numpy(inputs),
        label_index=torch.from_numpy(label_index),
        weights=torch.ones(60),
        learns=torch.arange(2)[:, None] != fold[None, :],
        droppable=torch.tensor([droppable, False]),
    )


def grown(**facts: bool) -> ForestNetwork:
    network = ForestNetwork(SIZES)
    grow(network, lesson(**facts), RECIPE, seed=5, tick=lambda _share: None)
    return network


def trees_of(network: ForestNetwork) -> Trees:
    weights = network.state_dict()
    depth = int(weights.pop("depth"))
    return Trees(depth=depth, **weights)


def test_it_says_what_scikit_learns_trees_say() -> None:
    taught = lesson()
    flat = taught.inputs.flatten(1).numpy()
    rows = np.flatnonzero(taught.learns[0].numpy())
    theirs = ExtraTreesClassifier(
        n_estimators=RECIPE.trees,
        max_features=RECIPE.share,
        max_leaf_nodes=RECIPE.leaves,
        max_depth=MAXIMUM_DEPTH,
        class_weight="balanced",
        random_state=5_000,
    ).fit(flat[rows], taught.label_index.numpy()[rows])

    ours = grown()._member_shares(taught.inputs)[0].numpy()

    assert np.allclose(ours, theirs.predict_proba(flat), atol=1e-6)


def test_the_same_seed_grows_the_same_forest() -> None:
    first, second = grown().state_dict(), grown().state_dict()

    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_member_never_learns_from_its_own_fold() -> None:
    taught = lesson()
    inputs = taught.inputs.clone()
    inputs[taught.learns[0].logical_not()] += 100.0
    changed = ForestNetwork(SIZES)
    grow(
        changed,
        replace(taught, inputs=inputs),
        RECIPE,
        seed=5,
        tick=lambda _share: None,
    )

    before = grown()._member_shares(taught.inputs)[0]
    assert torch.equal(changed._member_shares(taught.inputs)[0], before)


def test_channels_that_may_be_absent_are_masked_while_it_learns() -> None:
    plain, masked = trees_of(grown()), trees_of(grown(droppable=True))

    assert len(plain.feature) != len(masked.feature)


def test_progress_is_told_to_the_end() -> None:
    told: list[float] = []
    grow(ForestNetwork(SIZES), lesson(), RECIPE, seed=5, tick=told.append)

    assert told == sorted(told)
    assert told[-1] == 1.0


def test_no_label_is_impossible_however_sure_the_trees_are() -> None:
    logits = grown()(lesson().inputs)

    assert bool(torch.isfinite(logits).all())
    assert float(torch.softmax(logits, dim=1).max()) < 1.0


def _outside(trees: Trees) -> Trees:
    branches = trees.branches.clone()
    branches[0, 0] = len(trees.feature)
    return replace(trees, branches=branches)


def _negative(trees: Trees) -> Trees:
    return replace(trees, feature=trees.feature - 1)


def _wide(trees: Trees) -> Trees:
    return replace(trees, feature=trees.feature + 2 * PER_CHANNEL)


def _unfair(trees: Trees) -> Trees:
    return replace(trees, shares=trees.shares * 2.0)


def _not_a_number(trees: Trees) -> Trees:
    return replace(trees, shares=trees.shares * float("nan"))


def _short(trees: Trees) -> Trees:
    return replace(trees, threshold=trees.threshold[:-1])


def _whole(trees: Trees) -> Trees:
    return replace(trees, feature=trees.feature.to(torch.int32))


def _endless(trees: Trees) -> Trees:
    return replace(trees, depth=MAXIMUM_DEPTH + 1)


def _member_less(trees: Trees) -> Trees:
    return replace(trees, roots=trees.roots[:1])


@pytest.mark.parametrize(
    "damage",
    [
        _outside,
        _negative,
        _wide,
        _unfair,
        _not_a_number,
        _short,
        _whole,
        _endless,
        _member_less,
    ],
)
def test_a_forest_that_was_tampered_with_is_refused(
    damage: Callable[[Trees], Trees],
) -> None:
    trees = trees_of(grown())

    with pytest.raises(ValueError, match=r"forest|leaf"):
        ForestNetwork(SIZES).plant(damage(trees))


class _Point:
    """An entry point of an installed package."""

    def __init__(self, name: str, loaded: object) -> None:
        self.name = name
        self._loaded = loaded

    def load(self) -> object:
        if isinstance(self._loaded, Exception):
            raise self._loaded
        return self._loaded


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Networks that a plant installed, by name."""
    found: dict[str, object] = {}

    def entry_points(*, group: str, name: str | None = None) -> list[_Point]:
        assert group == registry.GROUP
        points = [_Point(key, value) for key, value in found.items()]
        return [point for point in points if name in (None, point.name)]

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    return found


def test_a_plants_own_network_is_found_by_its_name(
    installed: dict[str, object],
) -> None:
    installed["plant-net"] = LinearNetwork

    assert isinstance(registry.build("plant-net", SIZES), LinearNetwork)
    assert "plant-net" in registry.known()


def test_a_built_in_name_cannot_be_taken(installed: dict[str, object]) -> None:
    installed["features-forest"] = LinearNetwork

    assert isinstance(registry.build("features-forest", SIZES), ForestNetwork)


@pytest.mark.parametrize(
    ("loaded", "words"),
    [
        pytest.param(ImportError("no"), "cannot be imported", id="broken"),
        pytest.param(lambda _sizes: object(), "is not a", id="no-network"),
    ],
)
def test_an_installed_network_that_fails_is_refused(
    installed: dict[str, object], loaded: object, words: str
) -> None:
    installed["plant-net"] = loaded

    with pytest.raises(ArtifactError, match=words):
        registry.build("plant-net", SIZES)


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ArtifactError, match="known: auto, cnn, features-forest"):
        registry.build("nothing", SIZES)
