"""Statements about a mean loss between 0 and 1, where mistakes cost differently.

Source:
    Hoeffding, Probability Inequalities for Sums of Bounded Random Variables, 1963;
    Bentkus, On Hoeffding's Inequalities, 2004; combined as in Bates, Angelopoulos, Lei,
    Malik & Jordan, Distribution-Free, Risk-Controlling Prediction Sets, J. ACM 2021.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, rel_entr

_ROUNDING = 1e-9
"""A sum of costs may be this far above the whole number it stands for."""


def p_values(losses: ArrayLike, cases: ArrayLike, limit: float) -> NDArray[np.float64]:
    """Chance of so small a total loss, were the true mean the limit or more.

    The smaller of Hoeffding's and Bentkus' bounds; at no loss at all it is as sharp as
    the exact one for counted errors.

    Args:
        losses: Sum of the losses, each in [0, 1], any shape.
        cases: How many, the same shape; 0 gives 1: nothing is known.
        limit: The mean loss that is to be disproved, in (0, 1).
    """
    total, n = np.broadcast_arrays(
        np.asarray(losses, np.float64), np.asarray(cases, np.int64)
    )
    chance = np.ones(total.shape, np.float64)
    whole = np.ceil(total - _ROUNDING)
    some = (n > 0) & (whole < n)
    mean = np.minimum(total[some] / n[some], limit)
    divergence = rel_entr(mean, limit) + rel_entr(1.0 - mean, 1.0 - limit)
    hoeffding = np.exp(-n[some] * divergence)
    bentkus = np.e * bdtr(whole[some], n[some], limit)
    chance[some] = np.minimum(1.0, np.minimum(hoeffding, bentkus))
    return chance
