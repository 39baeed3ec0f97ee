"""Features of images: what is built in, what a plant adds, and what is refused."""

from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_nodes.config import ConfigRefusedError
from ros_nodes.images import features
from ros_nodes.images.features import GROUP, features_named, mean, sharpness


def test_the_mean_is_the_brightness_in_the_images_own_unit() -> None:
    image = np.array([[0, 255], [255, 0]], dtype=np.uint8)

    assert mean(image) == 127.5
    assert mean(np.stack([image] * 3, axis=2)) == 127.5


@given(st.integers(0, 255), st.integers(3, 9), st.integers(3, 9))
def test_an_even_image_has_no_sharpness(value, height, width) -> None:
    assert sharpness(np.full((height, width), value, dtype=np.uint8)) == 0.0


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    image = np.zeros((5, 5), dtype=np.uint8)
    image[2, 2] = 10
    laplacian = [[0, 10, 0], [10, -40, 10], [0, 10, 0]]

    assert sharpness(image) == pytest.approx(np.var(laplacian))


def test_a_blurred_image_is_less_sharp_and_colours_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (40, 60)).astype(np.uint8)
    blurred = (image[:-1] // 2 + image[1:] // 2).astype(np.uint8)

    assert sharpness(blurred) < 0.7 * sharpness(image)
    assert sharpness(np.stack([image] * 3, axis=2)) == pytest.approx(
        sharpness(image), rel=1e-4
    )


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (9, 2)])
def test_an_image_too_small_for_a_laplacian_has_no_sharpness(shape) -> None:
    assert sharpness(np.ones(shape, dtype=np.uint8)) == 0.0


def test_a_plants_own_function_is_found_by_its_name(monkeypatch) -> None:
    entry = EntryPoint("brightest", "numpy:max", GROUP)
    monkeypatch.setattr(features, "entry_points", lambda group: EntryPoints([entry]))

    own, built_in = features_named(["brightest", "mean"])

    assert own(np.array([[3, 7]])) == 7
    assert built_in is mean


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        pytest.param("nothing.here:at_all", "cannot be loaded", id="no-module"),
        pytest.param("numpy:nothing_at_all", "cannot be loaded", id="no-function"),
        pytest.param("numpy:pi", "no function", id="a-number"),
        pytest.param(None, "known: mean, sharpness", id="nobody-has-it"),
    ],
)
def test_a_feature_that_cannot_be_had_is_refused(monkeypatch, entry, words) -> None:
    own = [] if entry is None else [EntryPoint("mine", entry, GROUP)]
    monkeypatch.setattr(features, "entry_points", lambda group: EntryPoints(own))

    with pytest.raises(ConfigRefusedError, match=words):
        features_named(["mine"])
