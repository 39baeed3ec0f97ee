"""What a wrong decision costs: a number per confusion, and what is never missed.

Costs are relative to the dearest confusion, so that a loss is in [0, 1] and a limit on
the mean cost becomes a limit on the mean loss. A case that nobody answered counts as
the dearest: silence proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from coordinator.errors import ConfigError

DEAREST = 100.0
"""Largest cost that may be declared: above it no number of cases proves anything."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What it costs to decide alone `said` where the truth is `truth`.

    Attributes:
        by_confusion: Cost by (said, truth), positive; 1 where nothing is declared.
        must_never_miss: Labels that count as missed when something else is said.
    """

    by_confusion: Mapping[tuple[str, str], float] = field(default_factory=dict)
    must_never_miss: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse costs that are none."""
        for (said, truth), cost in self.by_confusion.items():
            if said == truth:
                raise ConfigError(
                    f"cost of saying {said} where it is {said}: that is no mistake.",
                    "BAD_COST",
                )
            if not 0.0 < cost <= DEAREST:
                raise ConfigError(
                    f"cost {cost} of saying {said} where it is {truth}, allowed above "
                    f"0 to {DEAREST:g}.",
                    "BAD_COST",
                )

    @property
    def dearest(self) -> float:
        """The highest cost of any confusion; what an unanswered case costs."""
        return max([1.0, *self.by_confusion.values()])

    @property
    def graded(self) -> bool:
        """Whether mistakes cost differently; else a loss is 0 or 1."""
        return any(cost != 1.0 for cost in self.by_confusion.values())

    def loss(self, said: str, truth: str) -> float:
        """Cost of one decision as a share of the dearest, in [0, 1].

        Args:
            said: The label that was, or would have been, decided alone.
            truth: What a person said it is; "" when nobody answered.
        """
        if not truth:
            return 1.0
        if said == truth:
            return 0.0
        return self.by_confusion.get((said, truth), 1.0) / self.dearest

    def missed(self, said: str, truth: str) -> bool:
        """Whether a label that must never be missed was, or may have been, missed."""
        if not truth:
            return bool(self.must_never_miss)
        return truth in self.must_never_miss and said != truth
