"""Contributions: they point at what moved the model, and taking it away shows it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from coordinator.model.attribution import Method, for_label, for_novelty, parts
from coordinator.model.loaded import LoadedModel
from tests.coordinator.model_builders import (
    CHANNELS,
    ROWS,
    make_snapshot,
    samples_of,
    train_model,
)

pytestmark = pytest.mark.slow

THERE = np.ones(CHANNELS, np.bool_)
NETWORKS = ("features-forest", "features-mlp", "cnn")


@pytest.fixture(scope="module", params=NETWORKS)
def model(request, tmp_path_factory) -> LoadedModel:
    folder = tmp_path_factory.mktemp("models")
    snapshot = make_snapshot(90)
    return LoadedModel.load(
        train_model(folder, snapshot=snapshot, network=request.param), version=1
    )


def test_the_channel_and_the_rows_of_a_spike_are_found(model: LoadedModel) -> None:
    samples = samples_of(0, seed=77)  # a spike of two rows in the first channel
    spike = int(samples[:, 0].argmax())

    found = for_label(model, samples, THERE, model.labels.index("collision"))

    assert found.values.shape == (ROWS, CHANNELS)
    by_channel = np.abs(found.values).sum(axis=0)
    assert by_channel.argmax() == 0
    first = int(np.abs(found.values[:, 0]).argmax())
    assert abs(first - spike) <= ROWS // 8 + 1


def test_taking_away_what_speaks_for_a_label_lowers_it_more_than_chance(
    model: LoadedModel,
) -> None:
    chance = np.random.default_rng(0)
    mean = np.asarray(model.manifest.channel_mean, np.float32)
    blocks = [(rows, c) for rows in parts(ROWS) for c in range(CHANNELS)]
    told, random = [], []
    for label in (0, 1):
        for seed in range(500, 510):
            samples = samples_of(label, seed)
            values = for_label(model, samples, THERE, label).values
            order = sorted(blocks, key=lambda b: -values[b[0], b[1]].sum())
            told.append(_lost(model, samples, order, mean, label))
            drawn = [blocks[i] for i in chance.permutation(len(blocks))]
            random.append(_lost(model, samples, drawn, mean, label))

    # Mean fall of the label's probability over the first six of 24 parts taken away.
    assert np.mean(told) > 2.0 * np.mean(random) > 0.0


def _lost(model: LoadedModel, samples, order, mean, label: int) -> float:
    covered, windows = samples.copy(), [samples]
    for rows, column in order[:6]:
        covered = covered.copy()
        covered[rows, column] = mean[column]
        windows.append(covered)
    outputs = model.evaluate(np.stack(windows), np.ones((7, CHANNELS), np.bool_))
    said = outputs.probabilities[:, label]
    return float(said[0] - said[1:].mean())


def test_an_absent_channel_contributes_nothing(model: LoadedModel) -> None:
    there = np.array([True, True, False])

    found = for_label(model, samples_of(1, seed=5), there, 1)

    assert not found.values[:, 2].any()
    assert found.values[:, :2].any()


def test_what_is_new_is_found_by_the_novelty_it_takes_away(model: LoadedModel) -> None:
    samples = samples_of(2, seed=9)
    samples[:, 2] += 40.0  # no example was ever like this in the third channel

    found = for_novelty(model, samples, THERE)

    assert found.method is Method.OCCLUSION
    assert np.abs(found.values).sum(axis=0).argmax() == 2


def test_gradients_add_up_to_what_the_label_gained(tmp_path: Path) -> None:
    path = train_model(tmp_path, snapshot=make_snapshot(90), network="cnn")
    model = LoadedModel.load(path, version=1)
    samples = samples_of(0, seed=3)
    mean = np.asarray(model.manifest.channel_mean, np.float32)
    both = np.stack([np.broadcast_to(mean, samples.shape), samples])

    found = for_label(model, samples, THERE, 0)

    assert found.method is Method.GRADIENTS
    logits = model.evaluate(both, np.ones((2, CHANNELS), np.bool_)).logits
    margin = (
        logits[:, 0] - torch.logsumexp(torch.from_numpy(logits[:, 1:]), dim=1).numpy()
    )
    assert found.values.sum() == pytest.approx(margin[1] - margin[0], rel=0.05)


def test_a_short_window_has_as_many_parts_as_rows() -> None:
    assert [(p.start, p.stop) for p in parts(3)] == [(0, 1), (1, 2), (2, 3)]
    assert sum(p.stop - p.start for p in parts(129)) == 129
