"""Does the interval of the live error cover, at any rate of audits and any trend?

    python benchmarks/gate/intervals.py [--trials 1000]

Windows decided alone, audited with a known chance that may change; the question is the
share of wrong ones among these very windows. A 95 % interval may miss it in 5 % of the
trials at most.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from streams import about

from coordinator.model.risk.binomial import lower_bound
from coordinator.model.risk.estimate import Audits, estimate

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
RATES: dict[str, Curve] = {
    "constant 5 %": lambda t: np.full_like(t, 0.05),
    "50 %, then 5 %": lambda t: np.where(t < 0.2, 0.5, 0.05),
    "30 % falling to 5 %": lambda t: 0.30 - 0.25 * t,
}
TRENDS: dict[str, Curve] = {
    "1 % wrong": lambda t: np.full_like(t, 0.01),
    "rising to 10 %": lambda t: 0.002 + 0.1 * t**3,
    "wrong where rarely audited": lambda t: np.where(t < 0.2, 0.0, 0.05),
    "20 % wrong": lambda t: np.full_like(t, 0.2),
}
COUNTS = (400, 4000)


def main(arguments: Sequence[str]) -> int:
    """Print the table; exit 1 when an interval does not cover."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    began, covers = time.perf_counter(), True
    print(about())
    print(f"{asked.trials} trials each; interval of 95 %")
    print(
        "rate of audits       windows trend                        missed  bias  width"
    )
    for rate_name, rate in RATES.items():
        for count in COUNTS:
            time_of = np.arange(count) / count
            chance = rate(time_of)
            for trend_name, trend in TRENDS.items():
                rng = np.random.default_rng(asked.seed)
                missed, bias, width = 0, 0.0, 0.0
                for _ in range(asked.trials):
                    wrong = rng.random(count) < trend(time_of)
                    drawn = rng.random(count) < chance
                    loss = wrong[drawn].astype(np.float64)
                    audits = Audits(loss, chance[drawn], count, float(chance.min()))
                    told = estimate(audits, 0.05)
                    missed += not told.low <= wrong.mean() <= told.high
                    bias += (told.mean or 0.0) - wrong.mean()
                    width += told.high - told.low
                share = missed / asked.trials
                covers &= lower_bound(missed, asked.trials, 0.025) <= 0.05
                print(
                    f"{rate_name:20} {count:7} {trend_name:28} {share:6.1%} "
                    f"{bias / asked.trials:+6.3f} {width / asked.trials:6.3f}"
                )
    print(f"{'they cover' if covers else 'THEY DO NOT COVER'}")
    print(f"{time.perf_counter() - began:.0f} s")
    return 0 if covers else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
