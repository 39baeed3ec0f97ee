"""The gate is a positive proof: nothing but proven-good numbers ever act."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from coordinator.clock import SECOND_NS
from coordinator.live.gate import judge
from coordinator.live.gate.judge import Gate
from coordinator.live.window import check
from coordinator.terms import Decision, Prediction, SensorWindow
from tests.builders import CHANNELS, FAMILY, MODEL, ROWS, make_prediction, make_window
from tests.properties.gate_promises import OF_THE_CHECKS, OF_THE_JUDGE

CASES = 20_000
GATES = (
    Gate(0.5, 10.0),
    Gate(
        1.0,
        10.0,
        certified=tuple((name, 0.5) for name in FAMILY.label_names),
        model_digest=MODEL,
    ),
)
"""As open as a gate can be."""


@pytest.mark.parametrize("promise", OF_THE_JUDGE, ids=lambda p: p.__name__)
def test_the_judge_keeps_its_promises(promise):
    promise(judge)


@pytest.mark.parametrize("promise", OF_THE_CHECKS, ids=lambda p: p.__name__)
def test_the_checks_keep_their_promises(promise):
    promise(check)


# -- twenty thousand bad windows, and twenty thousand bad answers --------------------


class BadWindows:
    """Windows with one thing wrong each, drawn by chance."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.lows = np.array([c.minimum for c in CHANNELS])
        self.highs = np.array([c.maximum for c in CHANNELS])
        self.kinds = (
            self.not_finite,
            self.any_bits,
            self.beside_the_range,
            self.huge,
            self.stale,
            self.gaps,
            self.absent,
            self.stuck,
        )

    def draw(self) -> tuple[str, SensorWindow]:
        kind = self.kinds[self.rng.integers(len(self.kinds))]
        return kind.__name__, kind()

    def good(self) -> NDArray[np.float32]:
        share = self.rng.uniform(0.05, 0.95, (ROWS, len(CHANNELS)))
        values = self.lows + (self.highs - self.lows) * share
        return np.asarray(values, dtype=np.float32)

    def place(self) -> tuple[int, int]:
        return int(self.rng.integers(ROWS)), int(self.rng.integers(len(CHANNELS)))

    def with_value(self, place: tuple[int, int], value: float) -> SensorWindow:
        samples = self.good()
        samples[place] = value
        return make_window(samples=samples)

    def not_finite(self) -> SensorWindow:
        values = (math.nan, math.inf, -math.inf)
        return self.with_value(self.place(), values[self.rng.integers(3)])

    def any_bits(self) -> SensorWindow:
        """Any float32 at all that is not plausible for its channel."""
        row, column = self.place()
        while True:
            bits = self.rng.integers(0, 2**32, dtype=np.uint32)
            value = float(bits.view(np.float32))
            if not self.lows[column] <= value <= self.highs[column]:
                return self.with_value((row, column), value)

    def beside_the_range(self) -> SensorWindow:
        """The nearest number that is just not plausible any more."""
        row, column = self.place()
        limit, way = (
            (self.highs[column], np.float32(np.inf))
            if self.rng.random() < 0.5
            else (self.lows[column], np.float32(-np.inf))
        )
        value = np.float32(limit)
        while self.lows[column] <= float(value) <= self.highs[column]:
            value = np.nextafter(value, way)
        return self.with_value((row, column), float(value))

    def huge(self) -> SensorWindow:
        sign = 1.0 if self.rng.random() < 0.5 else -1.0
        return self.with_value(self.place(), sign * 10.0 ** self.rng.uniform(4, 38))

    def stale(self) -> SensorWindow:
        age_ns = int(self.rng.integers(SECOND_NS + 1, 2**40))
        sign = 1 if self.rng.random() < 0.5 else -1
        return make_window(samples=self.good(), age_ns=sign * age_ns)

    def gaps(self) -> SensorWindow:
        return make_window(
            samples=self.good(), gap_rows=int(self.rng.integers(1, ROWS))
        )

    def absent(self) -> SensorWindow:
        """A required channel is missing; perhaps others are as well."""
        present = self.rng.random(len(CHANNELS)) < 0.5
        present[self.rng.integers(2)] = False
        samples = self.good()
        samples[:, ~present] = 0.0
        return make_window(samples=samples, present=present)

    def stuck(self) -> SensorWindow:
        samples = self.good()
        samples[int(self.rng.integers(0, ROWS - 7)) :, 1] = samples[-1, 1]
        return make_window(samples=samples)


@pytest.mark.slow
def test_not_one_of_twenty_thousand_bad_windows_acts():
    windows, seen = BadWindows(seed=1), Counter[str]()
    sure = make_prediction("ok", 0.999, 0.0)
    for _ in range(CASES):
        kind, window = windows.draw()
        findings = check.check(window, FAMILY, now_ns=0, maximum_age_ns=SECOND_NS)
        for gate in GATES:
            assert gate(sure, findings, FAMILY).decision is Decision.HOLD, kind
        seen[kind] += 1

    assert sum(seen.values()) == CASES
    assert min(seen.values()) > CASES / 10


@pytest.mark.slow
def test_not_one_of_twenty_thousand_bad_answers_acts():
    rng = np.random.default_rng(2)
    good = make_prediction("ok", 0.999, 0.0)
    for _ in range(CASES):
        bad = bad_answer(rng, good)
        for gate in GATES:
            assert gate(bad, [], FAMILY).decision is not Decision.ACT, bad


def bad_answer(rng: np.random.Generator, good: Prediction) -> Prediction:
    """One number of a sound and sure answer made unfit to act on."""
    poison = (math.nan, math.inf, -math.inf)[rng.integers(3)]
    place = int(rng.integers(4))
    match rng.integers(6):
        case 0:
            return replace(good, logits=swapped(good.logits, place, poison))
        case 1:
            return replace(
                good, probabilities=swapped(good.probabilities, place, poison)
            )
        case 2:
            off = rng.uniform(1e-3, 10.0) * (1 if rng.random() < 0.5 else -1)
            moved = good.probabilities[place] + off
            return replace(
                good, probabilities=swapped(good.probabilities, place, moved)
            )
        case 3:
            return replace(good, novelty=(poison, -1e-9, 10.1, 1e30)[rng.integers(4)])
        case 4:
            return replace(good, labels=good.labels[: rng.integers(4)])
        case _:
            return replace(good, logits=good.logits[: rng.integers(4)])


def swapped(numbers: tuple[float, ...], place: int, value: float) -> tuple[float, ...]:
    return (*numbers[:place], value, *numbers[place + 1 :])
