"""A loaded model: windows in, calibrated predictions out, the same every time."""

from pathlib import Path

import numpy as np
import pytest
import torch

from coordinator.errors import ArtifactError, ModelFaultError
from coordinator.model.calibration import probabilities
from coordinator.model.features import (
    PER_CHANNEL,
    channel_scores,
    fit_scaling,
    window_features,
)
from coordinator.model.loaded import BATCH, LoadedModel
from coordinator.model.network import Sizes
from coordinator.model.registry import NETWORKS, build
from coordinator.model.slot import ModelSlot, Served
from tests.coordinator.model_builders import (
    CHANNELS,
    FAMILY,
    ROWS,
    make_snapshot,
    make_window,
    samples_of,
    train_model,
)


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> LoadedModel:
    folder = tmp_path_factory.mktemp("models")
    snapshot = make_snapshot(90)
    path = train_model(folder, snapshot=snapshot, network=request.param)
    return LoadedModel.load(path, version=7)


def test_it_knows_what_it_was_taught(model: LoadedModel) -> None:
    windows = [
        make_window(samples_of(label, 7000 + i))
        for i in range(20)
        for label in range(3)
    ]
    truth = [FAMILY.label_names[i % 3] for i in range(len(windows))]

    said = model.predict(windows)

    assert model.version == 7
    assert np.mean([p.label == t for p, t in zip(said, truth, strict=True)]) > 0.8
    assert all(p.model_digest == model.digest for p in said)


def test_the_probabilities_follow_bit_exactly_from_the_logits(
    model: LoadedModel,
) -> None:
    said = model.predict([make_window(samples_of(i % 3, i)) for i in range(5)])

    for prediction in said:
        again = probabilities(
            np.array(prediction.logits), model.manifest.temperature
        ).tolist()
        assert tuple(again) == prediction.probabilities
        assert sum(prediction.probabilities) == pytest.approx(1.0)


def test_a_batch_answers_as_single_windows_do(model: LoadedModel) -> None:
    windows = [make_window(samples_of(i % 3, i)) for i in range(BATCH + 3)]

    together = model.predict(windows)
    alone = [model.predict([window])[0] for window in windows]

    for one, other in zip(together, alone, strict=True):
        assert np.allclose(one.logits, other.logits, atol=1e-4)
        assert one.novelty == pytest.approx(other.novelty, abs=1e-3)


def test_an_absent_channel_does_not_matter_whatever_it_says(model: LoadedModel) -> None:
    samples = samples_of(0, 1)
    present = np.array([True, True, False])
    wild = samples.copy()
    wild[:, 2] = 1e6

    one, other = model.predict(
        [make_window(samples, present=present), make_window(wild, present=present)]
    )

    # Rows of one batch differ in the last bits; a leaking 1e6 would not.
    assert one.logits == pytest.approx(other.logits, abs=1e-4)
    assert one.novelty == pytest.approx(other.novelty, abs=1e-3)


def test_a_window_from_another_world_is_novel(model: LoadedModel) -> None:
    known = model.predict([make_window(samples_of(i % 3, 8000 + i)) for i in range(30)])
    strange = model.predict(
        [make_window(samples_of(2, i, shift=9.0)) for i in range(5)]
    )

    assert np.mean([p.novelty <= 1.0 for p in known]) > 0.8
    assert all(p.novelty > 1.0 for p in strange)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_window_that_is_not_finite_is_a_fault(
    model: LoadedModel, value: float
) -> None:
    samples = samples_of(0, 1)
    samples[3, 1] = value

    with pytest.raises(ModelFaultError):
        model.predict([make_window(samples)])


def test_a_window_of_another_shape_is_a_fault(model: LoadedModel) -> None:
    with pytest.raises(ModelFaultError, match="24 rows x 3 channels"):
        model.predict([make_window(np.zeros((ROWS + 1, CHANNELS), np.float32))])


def test_no_windows_give_no_answers(model: LoadedModel) -> None:
    outputs = model.evaluate(
        np.zeros((0, ROWS, CHANNELS), np.float32), np.zeros((0, CHANNELS), np.bool_)
    )

    assert model.predict([]) == []
    assert outputs.logits.shape == (0, 3)


def test_the_training_is_repeatable(tmp_path: Path) -> None:
    snapshot = make_snapshot(60)

    first = train_model(tmp_path / "a", snapshot=snapshot)
    second = train_model(tmp_path / "b", snapshot=snapshot)

    assert first.name == second.name


def test_a_channel_that_never_moves_is_harmless() -> None:
    samples = np.zeros((4, 8, 2), np.float32)
    samples[..., 1] = 5.0
    present = np.ones((4, 2), np.bool_)
    present[:, 1] = False
    scaling = fit_scaling(samples, present)

    assert scaling.scale.tolist() == [1.0, 1.0]
    assert scaling.mean.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("rows", [2, 3, 7, 8, 10, 128])
def test_a_window_of_any_length_has_the_same_statistics(rows: int) -> None:
    samples = torch.randn(5, rows, 4)
    scores = channel_scores(
        samples, torch.ones(5, 4, dtype=torch.bool), torch.zeros(4), torch.ones(4)
    )

    features = window_features(scores)

    assert features.shape == (5, 4, PER_CHANNEL)
    assert torch.isfinite(features).all()


def test_folding_changes_no_answer() -> None:
    torch.manual_seed(0)
    network = build("cnn", Sizes(channels=3, labels=4, members=2))
    network.train()
    network.member_logits(torch.randn(64, 3, 32))
    network.eval()
    inputs = torch.randn(5, 3, 32)
    before = network(inputs)

    network.fold()

    assert torch.allclose(before, network(inputs), atol=1e-5)


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ArtifactError, match="features-mlp"):
        build("transformer", Sizes(1, 2, 1))


def test_a_slot_remembers_one_model_back(model: LoadedModel) -> None:
    slot = ModelSlot()
    assert slot.served == Served(None, None)

    assert slot.replace(model) is None
    assert slot.served == Served(model, None)
    assert slot.replace(model) is model
    assert slot.served == Served(model, model)

    slot.restore(None)
    assert slot.served == Served(None, None)
