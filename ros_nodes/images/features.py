"""Named features of images: two built in, any others by entry point.

A plant's own package names its functions in its pyproject.toml; a channel's source then
names the feature ("cam:feature:burrs"):

    [project.entry-points."andon.image_features"]
    burrs = "plant.vision:count_burrs"

Each takes an image, shape (height, width) or (height, width, colours), read-only, and
returns one number. It runs in a thread of the node: it must end by itself, and soon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ros_nodes.config import ConfigRefusedError

GROUP: Final = "andon.image_features"
"""Entry point group of own features."""

Pixels = NDArray[Any]
Feature = Callable[[Pixels], float]


def mean(image: Pixels) -> float:
    """Brightness: mean of all values, in the image's own unit (8 bit: 0 to 255)."""
    return float(image.mean())


def sharpness(image: Pixels) -> float:
    """Focus: variance of the Laplacian of the grey image, in its unit squared.

    Source:
        Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000.
    """
    grey = image if image.ndim == 2 else image.mean(axis=2)  # (height, width)
    grey = grey.astype(np.float32)
    if min(grey.shape) < 3:
        return 0.0
    inner = grey[1:-1, 1:-1]  # (height - 2, width - 2), as all below
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4.0 * inner).var(dtype=np.float64))


BUILT_IN: Final[Mapping[str, Feature]] = {"mean": mean, "sharpness": sharpness}


def features_named(names: Sequence[str]) -> tuple[Feature, ...]:
    """Find features by name; what is built in comes first.

    Raises:
        ConfigRefusedError: A feature is not installed here, or cannot be loaded.
    """
    own = {entry.name: entry for entry in entry_points(group=GROUP)}
    found = []
    for name in names:
        if name in BUILT_IN:
            found.append(BUILT_IN[name])
            continue
        if name not in own:
            known = ", ".join([*BUILT_IN, *sorted(own)])
            raise ConfigRefusedError(
                f"there is no image feature {name[:40]!r}, known: {known}"
            )
        try:
            feature = own[name].load()
        except (ImportError, AttributeError) as error:
            raise ConfigRefusedError(
                f"image feature {name!r} cannot be loaded: {error}"
            ) from error
        if not callable(feature):
            raise ConfigRefusedError(f"image feature {name!r} is no function")
        found.append(feature)
    return tuple(found)
