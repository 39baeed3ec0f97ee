"""A live alarm: somebody bets that a mean has come to lie above its limit.

The bettor begins with a capital of 1 and stakes on every case. While the mean is at
most the limit, whatever came before, no stake gains on average, so the capital ever
reaches 1 / delta with probability delta at most, however long and whenever one looks
(Ville's inequality). When the mean is above, the capital grows exponentially.

Two mixtures make the bettor ready for anything. Over alternatives: how bad it has
become is not known. Over beginnings: when it became bad is not known, so a part of the
capital waits and is staked later; what was lost in good times does not count. The
capital is kept as a logarithm, for it soon leaves the range of a float.

Source:
    Waudby-Smith & Ramdas, Estimating Means of Bounded Random Variables by Betting,
    JRSS B 2024 (arXiv 2010.09686); Shin, Ramdas & Rinaldo, E-detectors, arXiv
    2203.03532; Shiryaev 1963 and Roberts 1966 for the sum over beginnings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

WORSE: Final = (1.3, 1.7, 2.5, 4.0, 7.0, 12.0)
"""How many times the limit the mean may have come to be: the alternatives."""
WORST: Final = 0.95
"""No alternative lies above: a stake on certainty is lost with the first good case."""


@dataclass(frozen=True, slots=True, eq=False)
class Bettor:
    """One bettor, or many who see the same cases. A value: see() returns the next one.

    Attributes:
        limit: The mean that is bet against, in (0, WORST).
        cases: Cases seen.
        staked: Logarithm of the capital in play, shape (..., alternatives): one bettor
            for each index before the last.
    """

    limit: float
    cases: int
    staked: NDArray[np.float64]

    @classmethod
    def against(cls, limit: float, bettors: tuple[int, ...] = ()) -> Self:
        """Begin with a capital of 1 each, none of it in play.

        Args:
            limit: The mean to bet against.
            bettors: Shape of the bettors; () for one.
        """
        if not 0.0 < limit < WORST:
            raise ValueError(f"a limit of {limit}, allowed above 0 and below {WORST}")
        shape = (*bettors, len(alternatives(limit)))
        return cls(limit, 0, np.full(shape, -np.inf))

    def see(self, value: ArrayLike) -> Bettor:
        """Stake on one case.

        Args:
            value: What each bettor sees, in [0, 1], shape (...).

        Raises:
            ValueError: a value is outside; a bettor who believed it could be ruined, or
                made rich, by one case.
        """
        seen = np.asarray(value, np.float64)[..., None]
        if not bool(((seen >= 0.0) & (seen <= 1.0)).all()):
            raise ValueError(f"a value outside 0 to 1: {seen}")
        means = alternatives(self.limit)
        begun = math.log(waiting(self.cases) - waiting(self.cases + 1))
        stake = np.logaddexp(self.staked, begun - math.log(len(means)))
        won, lost = means / self.limit, (1.0 - means) / (1.0 - self.limit)
        return Bettor(
            self.limit, self.cases + 1, stake + np.log(lost + seen * (won - lost))
        )

    @property
    def log_capital(self) -> NDArray[np.float64]:
        """Logarithm of each bettor's capital, in play and waiting, shape (...)."""
        in_play = np.logaddexp.reduce(self.staked, axis=-1)
        return np.asarray(np.logaddexp(in_play, math.log(waiting(self.cases))))


def is_rich(log_capitals: Iterable[float], delta: float) -> bool:
    """Whether bettors together have made their mean capital 1 / delta.

    The mean of bettors is a bettor: so many may watch at once, and a false alarm of any
    of them has probability delta at most.

    Args:
        log_capitals: Logarithm of each capital; none of them is never rich.
        delta: Probability of a false alarm over their whole life, in (0, 1).
    """
    each = np.fromiter(log_capitals, np.float64)
    if not len(each):
        return False
    together = np.logaddexp.reduce(each) - math.log(len(each))
    return bool(together >= -math.log(delta))


def alternatives(limit: float) -> NDArray[np.float64]:
    """Means above the limit that are bet on, ascending, shape (alternatives,)."""
    half, most = (limit + WORST) / 2, (limit + 3 * WORST) / 4
    near = np.asarray(WORSE) * limit
    return np.concatenate([near[near < half], [half, most]])


def waiting(cases: int) -> float:
    """Share of the first capital that is not yet in play after some cases.

    It falls from 1 towards 0 so slowly that a change after n cases is still backed with
    about 0.7 / (n log(n)^2).
    """
    return math.log(2.0) / math.log(cases + 2.0)
