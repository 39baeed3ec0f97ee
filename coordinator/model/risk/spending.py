"""How often evidence may be looked at, and what each look may risk.

Whoever tests after every case until the test passes will see any test pass. So the
looks are fixed beforehand by the number of audited cases, and delta is shared out among
them: look k gets delta / (k (k + 1)), which adds up to delta however many looks there
are. The share of one look is divided equally among the groups of labels that are tested
at it. The union bound does the rest: all that is certified from one body of evidence
holds together with probability 1 - delta.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from coordinator.errors import ConfigError
from coordinator.model.risk.binomial import least_cases

FIRST = 2.0
"""The first look, in multiples of the least number of cases that could pass."""
GROWTH = 1.5
"""Cases at a look per case at the look before it."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised of the windows that are decided alone.

    Attributes:
        alpha: Largest mean cost of a decision, in units of an ordinary mistake; with
            equal costs the largest share of wrong decisions. In (0, 0.5].
        delta: Probability that the promise is given and not true, in (0, 0.5].
        missed: Largest share of decisions that miss a label that must never be missed,
            in (0, alpha].
    """

    alpha: float = 0.05
    delta: float = 0.05
    missed: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what is no promise."""
        for name, value, most in (
            ("alpha", self.alpha, 0.5),
            ("delta", self.delta, 0.5),
            ("alpha_missed", self.missed, self.alpha),
        ):
            if not 0.0 < value <= most:
                raise ConfigError(
                    f"{name} {value}, allowed above 0 to {most:g}.", "BAD_PROMISE"
                )

    def limit(self, dearest: float) -> float:
        """Alpha as a limit on a loss that is 1 for the dearest mistake."""
        return self.alpha / dearest


def look_level(look: int, delta: float) -> float:
    """What one look may risk.

    Args:
        look: Its number, from 1.
        delta: What all looks together may risk.
    """
    return delta / (look * (look + 1))


def look_size(look: int, limit: float, delta: float) -> int:
    """Audited cases at which a look is taken.

    Args:
        look: Its number, from 1.
        limit: The loss that is to be disproved, in (0, 1).
        delta: What all looks together may risk.
    """
    first = FIRST * least_cases(limit, look_level(1, delta))
    return math.ceil(first * GROWTH ** (look - 1))
