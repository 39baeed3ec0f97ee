"""How soon does the gate shut when it ought to, and how often when it ought not to?

    python benchmarks/gate/alarm.py [--lives 1000]

Audited cases that were decided alone, one after another, through the alarm of a
certificate: false alarms where the risk is exactly what was promised, and the number of
audits until the alarm where it is higher, from the first case on or after a good time.
Then the watch over unlabelled windows: how soon it sees a signal move, beside ADWIN
(river, an optional extra) on the same signals.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from streams import about

from coordinator.model.risk.betting import Bettor
from coordinator.model.risk.binomial import interval
from coordinator.model.risk.drift import DriftWatch, Reference

SIGNALS = 50
REFERENCE = 300
WAVE = 800
"""Windows of one slow wave; the evidence is two of them long where there are any."""


def until_alarm(
    limit: float,
    delta: float,
    risk: NDArray[np.float64],
    lives: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Case at which each life's alarm rings, 0 where it never does, shape (lives,).

    Args:
        limit: Promised risk.
        delta: Probability of a false alarm.
        risk: True risk of each case, shape (cases,).
        lives: How many.
        rng: Chance.
    """
    bettors, rung = Bettor.against(limit, (lives,)), np.zeros(lives, np.int64)
    for case, true in enumerate(risk, 1):
        bettors = bettors.see(rng.random(lives) < true)
        now = bettors.log_capital >= -math.log(delta)
        rung = np.where((rung == 0) & now, case, rung)
    return rung


def false_alarms(lives: int, seed: int) -> None:
    """Print how often a true promise is taken back."""
    print(
        "\nfalse alarms within 3,000 audits, the risk being exactly what was promised"
    )
    for limit, delta in ((0.05, 0.1), (0.05, 0.05), (0.02, 0.05)):
        rng = np.random.default_rng(seed)
        rung = until_alarm(limit, delta, np.full(3000, limit), lives, rng)
        count = int((rung > 0).sum())
        low, high = interval(count, lives, 0.05)
        print(
            f"  promised {limit:.0%}, delta {delta:.0%}: {count / lives:.1%} "
            f"({low:.1%} to {high:.1%})"
        )


def delays(lives: int, seed: int) -> None:
    """Print how many audits it takes."""
    print("\naudits until the alarm, median and 90 %: at once | after 300 good audits")
    for limit, delta in ((0.05, 0.1), (0.05, 0.05), (0.02, 0.05)):
        for risk in (0.10, 0.15, 0.25, 0.40):
            told = []
            for good in (0, 300):
                rng = np.random.default_rng(seed)
                risks = np.r_[np.full(good, limit / 3), np.full(1500, risk)]
                rung = until_alarm(limit, delta, risks, lives, rng)
                late = rung[rung > good] - good
                told.append(
                    f"{np.median(late):5.0f} {np.quantile(late, 0.9):5.0f} "
                    f"({(rung == 0).mean():.1%} never)"
                )
            print(
                f"  promised {limit:.0%}, delta {delta:.0%}, true {risk:.0%}: "
                f"{told[0]} | {told[1]}"
            )


def drift(lives: int, seed: int) -> None:
    """Print how many windows it takes until a moved signal is seen."""
    others = find_spec("river") is not None
    beside = "ADWIN" if others else "(river is not installed)"
    print(
        f"\nwindows until a move of one of {SIGNALS} signals is seen, median of those "
        f"that were; ours | {beside}"
    )
    for what, move, swings, waves in (
        ("none, independent", 0.0, 0.0, 0.0),
        ("none, but slow swings", 0.0, 0.8, 0.0),
        ("none, but slow waves", 0.0, 0.0, 3.0),
        ("0.5 standard deviations", 0.5, 0.0, 0.0),
        ("1.5 standard deviations", 1.5, 0.0, 0.0),
        ("3 standard deviations", 3.0, 0.0, 0.0),
        ("3, and the others in waves", 3.0, 0.0, 3.0),
    ):
        ours, theirs = [], []
        usual = 2 * WAVE if waves else REFERENCE
        for life in range(lives):
            rng = np.random.default_rng([seed, life])
            windows = stream(rng, usual + 600, swings)
            turns = np.arange(len(windows))[:, None] / WAVE + rng.random(SIGNALS - 1)
            windows[:, 1:] += waves * np.sin(2 * np.pi * turns)
            windows[usual + 200 :, 0] += move
            ours.append(seen_by_watch(windows, usual))
            if others:
                theirs.append(seen_by_adwin(windows, usual))
        print(f"  {what:26} {line(ours)} | {line(theirs) if others else '-'}")


def stream(rng: np.random.Generator, count: int, swings: float) -> NDArray[np.float64]:
    """Signals of many windows; with swings each is close to the one before it."""
    noise = rng.normal(size=(count, SIGNALS))
    windows = noise.copy()
    for i in range(1, count):
        windows[i] = swings * windows[i - 1] + math.sqrt(1 - swings**2) * noise[i]
    return windows


def seen_by_watch(windows: NDArray[np.float64], usual: int) -> int | None:
    """Window after the move at which the watch sees it; negative: a false alarm."""
    watch = DriftWatch.begin(Reference.of(windows[:usual]))
    for i, values in enumerate(windows[usual:], 1):
        watch = watch.see(values)
        if watch.alarmed(0.05):
            return i - 200
    return None


def seen_by_adwin(windows: NDArray[np.float64], usual: int) -> int | None:
    """The same with an ADWIN a signal, its delta shared out among them."""
    from river.drift import ADWIN

    detectors = [ADWIN(delta=0.05 / SIGNALS) for _ in range(SIGNALS)]
    for i, values in enumerate(windows, 1):
        for detector, value in zip(detectors, values, strict=True):
            detector.update(float(value))
            if detector.drift_detected and i > usual:
                return i - usual - 200
    return None


def line(found: Sequence[int | None]) -> str:
    """How soon, and how often falsely."""
    true = [i for i in found if i is not None and i > 0]
    false = sum(i is not None and i <= 0 for i in found)
    median = f"{np.median(true):4.0f}" if true else "   -"
    return f"{median} (seen {len(true)}/{len(found)}, false {false})"


def main(arguments: Sequence[str]) -> int:
    """Print all three tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lives", type=int, default=1000)
    parser.add_argument("--drift-lives", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    began = time.perf_counter()
    print(about())
    false_alarms(asked.lives, asked.seed)
    delays(asked.lives, asked.seed)
    drift(asked.drift_lives, asked.seed)
    print(f"\n{time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
