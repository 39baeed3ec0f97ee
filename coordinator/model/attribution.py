"""Which part of a window moved a model: contributions of every row of every channel.

Two methods, chosen by what was measured (docs/gate.md, "Why it asked"). A network that
reads samples is asked for its gradients: integrated on the straight way from the mean
window to this one, they add up to what the label gained on the way. A network that
reads statistics, a forest or any other, is asked again and again: one part of one
channel is replaced by the mean, and what the answer loses is that part's contribution.

Source:
    Sundararajan, Taly, Yan, Axiomatic Attribution for Deep Networks, ICML 2017.
    Zeiler, Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from coordinator.errors import ModelFaultError
from coordinator.model.features import SEGMENTS
from coordinator.model.loaded import LoadedModel
from coordinator.model.network import Reads

STEPS: Final = 32
"""Places on the way from the mean window; the rule of the midpoint needs few."""


class Method(Enum):
    """How contributions were found."""

    GRADIENTS = "gradients"
    """Integrated gradients: row by row."""
    OCCLUSION = "occlusion"
    """Parts of channels replaced by the mean, through the whole model."""


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """What moved one answer of a model.

    Attributes:
        method: How they were found.
        values: float64, shape (samples, channels): above zero speaks for what was
            asked about, below zero against it. Within one window alone they compare.
    """

    method: Method
    values: NDArray[np.float64]


def for_label(
    model: LoadedModel,
    samples: NDArray[np.float32],
    present: NDArray[np.bool_],
    label: int,
) -> Contributions:
    """What speaks for a label.

    Args:
        model: Whose answer.
        samples: float32, shape (samples, channels).
        present: bool, shape (channels,).
        label: Column of the label.

    Raises:
        ModelFaultError: the network failed or answered nonsense.
    """
    if model.pipeline.network.reads is Reads.SCORES:
        found = _gradients(model, samples, present, label)
        if found is not None:
            return Contributions(Method.GRADIENTS, found)
    return _occluded(model, samples, present, label)


def for_novelty(
    model: LoadedModel, samples: NDArray[np.float32], present: NDArray[np.bool_]
) -> Contributions:
    """What makes a window unlike the examples; see for_label()."""
    return _occluded(model, samples, present, None)


def parts(rows: int) -> list[slice]:
    """The equal parts of a window that are covered one by one."""
    edges = np.linspace(0, rows, min(SEGMENTS, rows) + 1).astype(int)
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def occluded(
    samples: NDArray[np.float32],
    present: NDArray[np.bool_],
    mean: NDArray[np.float32],
) -> tuple[NDArray[np.float32], list[tuple[slice, int]]]:
    """A window with one part of one channel at a time replaced by the channel's mean.

    Args:
        samples: float32, shape (samples, channels).
        present: bool, shape (channels,); an absent channel says nothing already.
        mean: Of every channel in training, float32, shape (channels,).

    Returns:
        float32, shape (parts, samples, channels), and which part each one lacks.
    """
    places = [
        (rows, int(column))
        for column in np.flatnonzero(present)
        for rows in parts(len(samples))
    ]
    covered = np.repeat(samples[None], len(places), axis=0)  # (P, T, C)
    for window, (rows, column) in zip(covered, places, strict=True):
        window[rows, column] = mean[column]
    return covered, places


def _occluded(
    model: LoadedModel,
    samples: NDArray[np.float32],
    present: NDArray[np.bool_],
    label: int | None,
) -> Contributions:
    mean = np.asarray(model.manifest.channel_mean, np.float32)
    covered, places = occluded(samples, present, mean)
    values = np.zeros(samples.shape, np.float64)  # (T, C)
    if not places:
        return Contributions(Method.OCCLUSION, values)
    everything = np.concatenate([samples[None], covered])  # (1 + P, T, C)
    there = np.repeat(present[None], len(everything), axis=0)
    outputs = model.evaluate(everything, there)
    said = outputs.novelty if label is None else outputs.probabilities[:, label]
    for (rows, column), left in zip(places, said[1:], strict=True):
        values[rows, column] = (said[0] - left) / (rows.stop - rows.start)
    return Contributions(Method.OCCLUSION, values)


def _gradients(
    model: LoadedModel,
    samples: NDArray[np.float32],
    present: NDArray[np.bool_],
    label: int,
) -> NDArray[np.float64] | None:
    """Integrated gradients of a label against all others, None where there are none."""
    network = model.pipeline.network
    scores = model.pipeline.scores(
        torch.from_numpy(samples.copy())[None], torch.from_numpy(present.copy())[None]
    )  # (1, C, T); the mean window is zero
    shares = (torch.arange(STEPS, device=scores.device) + 0.5) / STEPS
    way = (shares[:, None, None] * scores).requires_grad_()  # (S, C, T)
    try:
        logits = network(way)  # (S, L)
        others = torch.cat([logits[:, :label], logits[:, label + 1 :]], dim=1)
        margin = logits[:, label] - torch.logsumexp(others, dim=1)  # (S,)
        if not margin.requires_grad:
            return None  # a plant's own network may have no gradient
        (slope,) = torch.autograd.grad(margin.sum(), way)
    except RuntimeError as error:  # torch's word for every failed computation
        raise ModelFaultError("the model could not compute its gradients.") from error
    found = (slope.mean(dim=0) * scores[0]).T  # (T, C)
    values: NDArray[np.float64] = found.detach().cpu().numpy().astype(np.float64)
    return values if np.isfinite(values).all() else None
