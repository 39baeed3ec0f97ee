"""When to train: enough answers, and not too soon after the last time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


def unlearned(taken_back: Sequence[datetime], frozen_at: datetime) -> int:
    """Count the labels that were taken back after a model may have learned them.

    What was said and taken back since then no model has seen: it is no reason to train.

    Args:
        taken_back: When the labels had been said that were taken back, UTC.
        frozen_at: When the newest training took its examples, or andon started.
    """
    return sum(labelled_at <= frozen_at for labelled_at in taken_back)


@dataclass(frozen=True, slots=True)
class Trigger:
    """The rule, with its numbers.

    Attributes:
        first_after: Examples before the first training.
        every_answers: New examples before the next one, at least.
        every_share: The same as a share of the examples; whichever is more counts.
        cooldown_ns: Least time between the end of a training and the next.
    """

    first_after: int
    every_answers: int
    every_share: float
    cooldown_ns: int

    def until_training(
        self, examples: int, trained_on: int, *, moved: bool = False
    ) -> int:
        """Examples still missing until the next training; 0 when it is due.

        Args:
            examples: Usable examples now.
            trained_on: Examples at the last attempt, also one that failed; 0 for none.
            moved: The world has moved since: the fewest new examples are enough.
        """
        if trained_on == 0:
            return max(self.first_after - examples, 0)
        share = 0.0 if moved else self.every_share
        step = max(self.every_answers, round(share * trained_on))
        return max(trained_on + step - examples, 0)

    def wait_ns(self, now_ns: int, ended_ns: int | None) -> int:
        """Time until the cooldown is over; 0 when it is, or nothing was trained."""
        if ended_ns is None:
            return 0
        return max(ended_ns + self.cooldown_ns - now_ns, 0)
