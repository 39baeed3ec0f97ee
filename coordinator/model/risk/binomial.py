"""Exact statements about a share, from errors counted among independent cases.

Everything here is for cases drawn alike: each wrong with the same probability, whatever
the others were. What is drawn with varying probabilities belongs to estimate.py.

Source:
    Clopper & Pearson, The Use of Confidence or Fiducial Limits, Biometrika 1934.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtri


def p_values(errors: ArrayLike, cases: ArrayLike, limit: float) -> NDArray[np.float64]:
    """Chance of so few errors, were the true share of errors the limit or more.

    Args:
        errors: Counted errors, whole numbers, any shape.
        cases: Counted cases, the same shape; 0 gives 1: nothing is known.
        limit: The share that is to be disproved, in (0, 1).
    """
    k, n = np.broadcast_arrays(
        np.asarray(errors, np.float64), np.asarray(cases, np.int64)
    )
    chance = np.ones(k.shape, np.float64)
    some = (n > 0) & (k < n)
    chance[some] = bdtr(k[some], n[some], limit)
    return chance


def upper_bound(errors: int, cases: int, level: float) -> float:
    """The largest share of errors that these cases do not disprove.

    Args:
        errors: Counted errors.
        cases: Counted cases; 0 gives 1.
        level: Probability that the bound is too low, in (0, 1).
    """
    return 1.0 if errors >= cases else float(bdtri(errors, cases, level))


def lower_bound(errors: int, cases: int, level: float) -> float:
    """The smallest share of errors that these cases do not disprove."""
    return 1.0 - upper_bound(cases - errors, cases, level)


def interval(errors: int, cases: int, level: float) -> tuple[float, float]:
    """Clopper-Pearson: covers the true share with probability 1 - level at least."""
    return lower_bound(errors, cases, level / 2), upper_bound(errors, cases, level / 2)


def least_cases(limit: float, level: float) -> int:
    """Cases without any error that disprove a share of the limit or more.

    least_cases(0.05, 0.05) is 59: the number to have in mind.
    """
    return max(1, math.ceil(math.log(level) / math.log1p(-limit) - 1e-9))
