"""A person for backtests: knows the truth, and errs as often as people do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.errors import InputError


@dataclass(frozen=True, slots=True)
class SimulatedPerson:
    """Answers what was recorded, or by mistake something else.

    Whether a window is answered wrongly depends on the seed and the window alone, so
    that two policies meet the same person.

    Attributes:
        labels: What may be answered.
        error_rate: Share of wrong answers, in [0, 1).
        seed: Of the mistakes.
    """

    labels: tuple[str, ...]
    error_rate: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        if not 0.0 <= self.error_rate < 1.0:
            raise InputError(
                f"an error rate of {self.error_rate}, allowed 0 to below 1.",
                "BAD_ERROR_RATE",
            )

    def say(self, window: int, truth: str) -> str:
        """Return this person's label for a window.

        Args:
            window: Its number in the recording.
            truth: What was recorded.
        """
        draws = np.random.default_rng([self.seed, window])
        if not draws.random() < self.error_rate:
            return truth
        others = [label for label in self.labels if label != truth]
        return others[int(draws.integers(len(others)))]
