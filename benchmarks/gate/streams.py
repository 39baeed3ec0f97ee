"""Streams of simulated windows whose true risk is known, for the gate's evidence.

Every model says, for one window, a label and a confidence, and is wrong with a
probability that the simulation knows: so whether a certificate is true can be computed,
not estimated.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """What a model says of windows, and how often it errs there.

    Attributes:
        said: Column of the label, int64, shape (windows,).
        confidence: In [0, 1], shape (windows,).
        risk: True probability that the label is wrong, shape (windows,).
        severe: True probability that, if wrong, the truth is a label that must never
            be missed, shape (windows,).
    """

    said: NDArray[np.int64]
    confidence: Floats
    risk: Floats
    severe: Floats


Make = Callable[[np.random.Generator, int], Windows]


def usual(rng: np.random.Generator, count: int) -> Windows:
    """Mostly sure and right, one window in four doubtful; four labels alike."""
    sure = rng.random(count) < 0.75
    confidence = np.where(
        sure, 1.0 - 0.05 * rng.beta(1, 3, count), 0.3 + 0.65 * rng.random(count)
    )
    risk = np.where(sure, 0.004, 0.05 + 0.5 * (1.0 - confidence))
    return _windows(rng.integers(0, 4, count), confidence, risk, 0.1)


def uneven(rng: np.random.Generator, count: int) -> Windows:
    """The surest windows err more than those below them."""
    confidence = rng.random(count) ** 0.3
    bump = 0.09 * (confidence > 0.985)
    risk = 0.002 + bump + 0.6 * np.maximum(0.0, 0.8 - confidence)
    return _windows(rng.integers(0, 3, count), confidence, risk, 0.2)


def discrete(rng: np.random.Generator, count: int) -> Windows:
    """Five values of confidence, as of a small forest; ties everywhere."""
    place = rng.choice(5, count, p=[0.1, 0.1, 0.15, 0.25, 0.4])
    confidence = np.array([0.4, 0.55, 0.7, 0.85, 1.0])[place]
    risk = np.array([0.5, 0.3, 0.12, 0.035, 0.01])[place]
    return _windows(rng.integers(0, 3, count), confidence, risk, 0.1)


def imbalanced(rng: np.random.Generator, count: int) -> Windows:
    """Nine in ten said to be good; what is said of the rest is often wrong."""
    said = rng.choice(5, count, p=[0.9, 0.06, 0.02, 0.015, 0.005])
    confidence = np.where(
        said == 0, 1.0 - 0.3 * rng.beta(1, 4, count), 0.4 + 0.6 * rng.random(count)
    )
    risk = np.where(said == 0, 0.01 + 0.2 * (1.0 - confidence), 0.3)
    return _windows(said, confidence, risk, 0.6)


def faulty_good(rng: np.random.Generator, count: int) -> Windows:
    """Almost all errors are missed faults: "good" errs far more than the faults do."""
    said = (rng.random(count) < 0.4).astype(np.int64)
    confidence = 0.5 + 0.5 * rng.beta(4, 1, count)
    risk = np.where(
        said == 0, 0.02 + 0.9 * (1.0 - confidence), 0.005 + 0.1 * (1.0 - confidence)
    )
    return _windows(said, confidence, risk, 0.8)


def at_the_limit(limit: float) -> Make:
    """Wrong as often at every confidence: a hair above the promise is the hardest."""

    def make(rng: np.random.Generator, count: int) -> Windows:
        confidence = 0.5 + 0.5 * rng.random(count)
        risk = np.full(count, limit)
        return _windows(rng.integers(0, 3, count), confidence, risk, 0.1)

    return make


def mixed_limit(limit: float) -> Make:
    """One label at the limit, the others far better: only the split of delta helps."""

    def make(rng: np.random.Generator, count: int) -> Windows:
        said = rng.choice(4, count, p=[0.4, 0.3, 0.2, 0.1])
        confidence = 0.5 + 0.5 * rng.random(count)
        risk = np.where(said == 0, limit, np.where(said == 1, limit, 0.1 * limit))
        return _windows(said, confidence, risk, 0.1)

    return make


def _windows(
    said: NDArray[np.int64], confidence: Floats, risk: Floats, severe: float
) -> Windows:
    wrong = np.clip(risk, 0.0, 1.0)
    return Windows(
        said.astype(np.int64),
        np.clip(confidence, 0.0, 1.0),
        wrong,
        np.full(len(said), severe),
    )


def about() -> str:
    """The machine and the code that the numbers come from."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - the developer's git
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return (
        f"{platform.machine()}, {platform.system()} {platform.release()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"numpy {np.__version__}, commit {commit or 'unknown'}"
    )
