"""How often is it wrong, what was decided alone? From audits drawn with known chances.

Each audited window stands for 1 / probability windows like it. The point estimate
divides by the sum of the weights (Hajek), so that it stays within [0, 1]; the interval
is one that covers whatever the sample size:

* All drawn with one probability: the audited are a simple random sample, and counted
  errors get the exact interval of Clopper and Pearson.
* Drawn with varying probabilities, or losses between 0 and 1: a betting interval on the
  inverse-propensity-weighted losses. It asks nothing of the stream, which may drift as
  it likes: the mean is over these very windows, and all that is random are the coins.

Source:
    Horvitz & Thompson, JASA 1952; Hajek 1971; Waudby-Smith & Ramdas, Estimating Means
    of Bounded Random Variables by Betting, JRSS B 2024.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.model.risk import binomial

STAKES: Final = (0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99)
"""Stakes of the bettors, as shares of the largest that cannot ruin one."""
_HALVINGS: Final = 40


@dataclass(frozen=True, slots=True, eq=False)
class Audits:
    """What was audited among the windows decided alone.

    Attributes:
        loss: Cost of each audited decision, in [0, 1], shape (audited,).
        probability: Chance with which each was drawn, in (0, 1], shape (audited,).
        decided: How many windows were decided alone, drawn or not.
        least: Lowest chance with which any of them could be drawn.
    """

    loss: NDArray[np.float64]
    probability: NDArray[np.float64]
    decided: int
    least: float

    def __post_init__(self) -> None:
        """Refuse chances that cannot be: dividing by them would say anything."""
        if not 0.0 < self.least <= 1.0:
            raise ValueError(f"a chance of {self.least} of an audit tells nothing")
        known = (self.probability >= self.least) & (self.probability <= 1.0)
        priced = (self.loss >= 0.0) & (self.loss <= 1.0)
        if not (known.all() and priced.all() and len(self.loss) <= self.decided):
            raise ValueError("an audit that cannot have been drawn so")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean cost of what was decided alone.

    Attributes:
        mean: Best guess; None when nothing was audited.
        low: Lower end of the interval.
        high: Upper end of the interval.
        audited: Cases it rests on.
        decided: Windows it is about.
        exact: Clopper-Pearson; else by betting.
    """

    mean: float | None
    low: float
    high: float
    audited: int
    decided: int
    exact: bool


def estimate(audits: Audits, level: float) -> Estimate:
    """Estimate the mean loss, with an interval that covers it.

    Args:
        audits: Drawn before anybody knew how hard they are.
        level: Probability that the mean lies outside, in (0, 1).
    """
    audited = len(audits.loss)
    if not audited:
        return Estimate(None, 0.0, 1.0, 0, audits.decided, exact=True)
    weight = 1.0 / audits.probability
    mean = float(weight @ audits.loss / weight.sum())
    counted = bool(np.isin(audits.loss, (0.0, 1.0)).all())
    if counted and bool((audits.probability == audits.least).all()):
        low, high = binomial.interval(int(audits.loss.sum()), audited, level)
        exact = True
    else:
        low, high = _by_betting(audits, level / 2)
        exact = False
    return Estimate(mean, low, high, audited, audits.decided, exact=exact)


def _by_betting(audits: Audits, level: float) -> tuple[float, float]:
    """Where somebody who bets against a mean becomes rich, from below and above.

    A bettor who stakes the same share on every window, on the weighted loss that an
    audit shows and on zero without one, gains nothing on average if the mean is what is
    bet against: the product's mean is a product of means, and by the inequality of the
    arithmetic and the geometric mean it is greatest, and 1, when all are equal.
    """
    weighted = audits.loss / audits.probability
    unseen = audits.decided - len(weighted)
    rich = -np.log(level)
    # A weighted loss is at most 1 / least: a larger stake against it could be ruined.
    against = np.asarray(STAKES) * audits.least
    on = np.geomspace(1e-3 * audits.least, 0.99, 2 * len(STAKES))

    def capital(stakes: NDArray[np.float64], gain: NDArray[np.float64]) -> float:
        """Logarithm of the bettors' mean capital; gain's last column is of no audit."""
        each = np.log1p(stakes[:, None] * gain)  # (stakes, audited + 1)
        total = each[:, :-1].sum(axis=1) + unseen * each[:, -1]
        return float(np.logaddexp.reduce(total) - np.log(len(stakes)))

    shown = np.append(weighted, 0.0)
    high = _halve(lambda mean: capital(against, mean - shown) < rich)
    low = _halve(lambda mean: capital(on, shown - mean) >= rich)
    return low, high


def _halve(holds: Callable[[float], bool]) -> float:
    """The mean up to which something holds that holds for small means only."""
    low, high = 0.0, 1.0
    if not holds(0.0):
        return 0.0
    if holds(1.0):
        return 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high
