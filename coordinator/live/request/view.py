"""What a person is shown with a question, and its digest.

An answer carries the digest back: an answer to something else than what is asked now
is refused, because the scene or the vocabulary moved while the person was thinking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordinator.terms import (
    NO_DIGEST,
    Action,
    Digest,
    Family,
    OperatorRequest,
    Prediction,
    SensorWindow,
)
from coordinator.terms.why import ChannelWeight

MOST_CHOICES = 4
"""So many plausible answers are offered on keys."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One plausible answer.

    Attributes:
        label: Its name.
        probability: Calibrated, in [0, 1]; 0 without a model.
        action: What it would let the robot do.
    """

    label: str
    probability: float
    action: Action


def view_digest(
    request: OperatorRequest, family: Family, shown: Digest = NO_DIGEST
) -> Digest:
    """SHA-256 over a question: its evidence, its decision, its possible answers.

    Args:
        request: The question.
        family: Its labels may be answered.
        shown: Digest of the reasons shown with it, see Why; "" for bare evidence.
    """
    text = "\n".join(
        (
            "view/1",
            request.request_id,
            request.window_digest,
            request.decision_id,
            *(f"{label.name}={label.action.value}" for label in family.labels),
            *((f"why {shown}",) if shown else ()),
        )
    )
    return Digest(hashlib.sha256(text.encode()).hexdigest())


def choices(
    prediction: Prediction | None, family: Family, plausible: Sequence[str] = ()
) -> tuple[Choice, ...]:
    """Return the plausible answers, most plausible first, at most MOST_CHOICES.

    Without a model: the default label first, then the most severe ones.

    Args:
        prediction: Of the serving model.
        family: Its labels.
        plausible: The answers that a prediction set holds; empty for the first guesses.
    """
    if prediction is None:
        rest = [x for x in family.labels if x.name != family.default_label]
        default = [x for x in family.labels if x.name == family.default_label]
        chosen = [*default, *rest][:MOST_CHOICES]
        return tuple(Choice(label.name, 0.0, label.action) for label in chosen)
    said = dict(zip(prediction.labels, prediction.probabilities, strict=True))
    ranked = sorted(
        family.labels, key=lambda label: said.get(label.name, 0.0), reverse=True
    )
    if plausible:
        ranked = [label for label in ranked if label.name in plausible]
    return tuple(
        Choice(label.name, said.get(label.name, 0.0), label.action)
        for label in ranked[:MOST_CHOICES]
    )


def channel_weights(
    window: SensorWindow, usual: NDArray[np.float32] | None, family: Family
) -> tuple[ChannelWeight, ...]:
    """Return the channels that deviate most from the usual course, largest first.

    Args:
        window: The evidence.
        usual: Mean and standard deviation of windows with the default label, shape
            (2, samples, channels); None while there are too few of them.
        family: Names the channels.
    """
    samples = window.samples.astype(np.float64)  # (T, C)
    if usual is None:
        centre = samples.mean(axis=0, keepdims=True)  # (1, C)
        spread = samples.std(axis=0, keepdims=True) + 1e-9  # (1, C)
    else:
        centre, spread = usual[0].astype(np.float64), usual[1] + 1e-6  # (T, C) each
    with np.errstate(invalid="ignore", over="ignore"):
        deviation = np.abs(samples - centre) / spread  # (T, C)
    deviation = np.where(np.isfinite(deviation), np.minimum(deviation, 50.0), 50.0)
    excess = np.maximum(deviation - 2.0, 0.0)  # (T, C)
    return weights_of(excess, [channel.name for channel in family.channels])


def weights_of(
    values: NDArray[np.float64], names: Sequence[str]
) -> tuple[ChannelWeight, ...]:
    """Return the channels that count most, largest first; what counts nothing is left.

    Args:
        values: Of every row of every channel, finite, below zero where it speaks
            against; shape (samples, channels).
        names: Of the channels.
    """
    size = np.abs(values)  # (T, C)
    score = size.sum(axis=0)  # (C,)
    total, largest = float(score.sum()), float(size.max(initial=0.0))
    if not total > 0.0:
        return ()
    order = np.argsort(-score, kind="stable")
    return tuple(
        _weight(names[column], values[:, column], float(score[column]) / total, largest)
        for column in order
        if score[column] > 0.0
    )


def _weight(
    name: str, values: NDArray[np.float64], share: float, largest: float
) -> ChannelWeight:
    """The part around the peak that counts by at least half of it: (samples,)."""
    size = np.abs(values)
    peak = int(np.argmax(size))
    low = np.flatnonzero(size < 0.5 * size[peak])  # rows that do not stand out
    before, after = low[low < peak], low[low > peak]
    first = int(before[-1]) + 1 if len(before) else 0
    last = int(after[0]) - 1 if len(after) else len(size) - 1
    rows = tuple(np.round(size / largest, 4).tolist())
    against = float(values.sum()) < 0.0
    return ChannelWeight(name, float(share), first, last, rows, against)
