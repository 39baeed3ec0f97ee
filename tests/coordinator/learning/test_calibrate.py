"""What a network's words are worth: whole windows, absent channels, and who is best."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.errors import ArtifactError, TrainingError
from coordinator.learning.training.calibrate import Measured
from coordinator.learning.training.fit import Plan, _best, _Contender, fit
from coordinator.model.artifact import pack_weights, read_artifact, write_artifact
from coordinator.model.calibration import HOTTEST, Calibration
from coordinator.model.loaded import LoadedModel
from coordinator.model.network import LinearNetwork, Sizes
from tests.coordinator.model_builders import (
    CHANNELS,
    FAMILY,
    make_snapshot,
    make_window,
    samples_of,
    train_model,
)

GRIP = [channel.name for channel in FAMILY.channels].index("grip")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    return train_model(folder, snapshot=make_snapshot(90), network="features-forest")


@pytest.fixture(scope="module")
def model(path: Path) -> LoadedModel:
    return LoadedModel.load(path, version=1)


@given(
    present=st.lists(st.booleans(), min_size=CHANNELS, max_size=CHANNELS),
    lost=st.integers(0, CHANNELS - 1),
    seed=st.integers(0, 50),
)
@settings(max_examples=60, deadline=None)
def test_an_absent_channel_never_leaves_the_model_surer_of_the_same_words(
    model: LoadedModel, present: list[bool], lost: int, seed: int
) -> None:
    # The same logits, one more channel absent: the temperature can only rise.
    there = torch.tensor([present, [p and i != lost for i, p in enumerate(present)]])
    heat = (~there).float() @ model.pipeline._heat

    assert float(heat[0]) >= 0.0
    assert float(heat[1]) >= float(heat[0])


def test_a_channel_that_may_be_absent_costs_what_was_measured(
    model: LoadedModel,
) -> None:
    heat = model.pipeline._heat

    assert 0.0 <= float(heat[GRIP]) < math.log(HOTTEST)
    others = [i for i in range(CHANNELS) if i != GRIP]
    assert heat[others].tolist() == pytest.approx([math.log(HOTTEST)] * len(others))


def test_a_window_without_a_channel_nobody_trained_for_is_never_sure(
    model: LoadedModel,
) -> None:
    present = np.array([i != 0 for i in range(CHANNELS)])
    windows = [
        make_window(samples_of(i % 3, 9000 + i), number=i, present=present)
        for i in range(30)
    ]

    assert max(p.confidence for p in model.predict(windows)) < 0.6


def test_without_a_tolerated_channel_the_model_is_not_surer_on_the_whole(
    model: LoadedModel,
) -> None:
    present = np.array([i != GRIP for i in range(CHANNELS)])
    samples = [samples_of(i % 3, 9000 + i) for i in range(60)]
    whole = model.predict([make_window(s, number=i) for i, s in enumerate(samples)])
    masked = model.predict(
        [make_window(s, number=i, present=present) for i, s in enumerate(samples)]
    )

    sure, less = (np.mean([p.confidence for p in said]) for said in (whole, masked))
    assert less <= sure + 0.005


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("calibration.heat", lambda t: t - 100.0, id="surer"),
        pytest.param("calibration.bias", lambda t: t[:-1], id="short"),
        pytest.param("novelty.novelties", lambda t: t.flip(0), id="upside-down"),
        pytest.param("novelty.scores", lambda t: t[:-1], id="uneven"),
        pytest.param("novelty.low", lambda t: t[:, :-1], id="narrow"),
    ],
)
def test_a_calibration_that_was_tampered_with_is_refused(
    path: Path, tmp_path: Path, name: str, change: object
) -> None:
    assert callable(change)
    read = read_artifact(path)
    tensors = {**read.tensors, name: change(read.tensors[name]).contiguous()}
    weights, files = pack_weights(tensors)
    manifest = read.manifest.model_copy(update={"files": files})
    spoilt = write_artifact(tmp_path, manifest, weights)

    with pytest.raises(ArtifactError) as refused:
        LoadedModel.load(spoilt, version=1)

    assert refused.value.code == "ARTIFACT_CANARY"


def contender(name: str, losses: np.ndarray) -> _Contender:
    count = len(losses)
    measured = Measured(
        logits=np.zeros((count, 3)),
        calibration=Calibration(1.0, np.zeros(3)),
        heat=np.zeros(3, np.float32),
        losses=losses,
        shares=np.full(count, 1.0 / count),
    )
    network = LinearNetwork(Sizes(3, 3, 5))
    return _Contender(name, network, measured, np.ones(count, np.bool_))


def test_the_favourite_stays_unless_another_is_better_beyond_chance() -> None:
    rng = np.random.default_rng(0)
    usual = rng.normal(0.5, 0.3, 100)
    favourite = contender("favourite", usual)
    luckier = contender("luckier", usual - rng.normal(0.01, 0.5, 100))
    better = contender("better", usual - rng.normal(0.2, 0.5, 100))

    assert _best([favourite, luckier]).name == "favourite"
    assert _best([favourite, luckier, better]).name == "better"


def test_members_that_share_layers_are_calibrated_on_what_none_has_seen(
    tmp_path: Path,
) -> None:
    snapshot = make_snapshot(90)
    done = fit(snapshot, Plan("tcn"), tmp_path, parent=None, tick=lambda _share: None)

    spoken = set(done.out_of_fold.rows.tolist())
    assert 0 < len(spoken) < 60

    # What they learn from is all the rest: spoil the fresh ones, nothing changes.
    samples = snapshot.samples.copy()
    labels = snapshot.label_index.copy()
    rows = sorted(spoken)
    labels[rows] = (labels[rows] + 1) % 3
    changed = replace(snapshot, samples=samples, label_index=labels)
    again = fit(changed, Plan("tcn"), tmp_path, parent=None, tick=lambda _share: None)
    first, second = (read_artifact(found.path).tensors for found in (done, again))
    assert torch.equal(first["network.outer"], second["network.outer"])
    assert again.temperature > done.temperature


def test_too_few_examples_for_shared_layers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="too few"):
        fit(
            make_snapshot(20),
            Plan("tcn"),
            tmp_path,
            parent=None,
            tick=lambda _share: None,
        )
