"""Trains in this process and blocks it: for backtests, never beside cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from coordinator.errors import ArtifactError, ModelFaultError, TrainingError
from coordinator.seams import Candidate, Progress
from coordinator.terms import Snapshot

Make = Callable[[Snapshot, Path | None, int, Progress], Candidate]
"""One training: snapshot, serving model, seed, progress -> candidate."""


class InlineTrainer:
    """The same training as the child process does, in order. Implements seams.Trainer.

    It answers in the same call and on the same thread, so a backtest is repeatable.
    """

    def __init__(self, make: Make) -> None:
        self._make = make

    async def train(
        self,
        snapshot: Snapshot,
        *,
        serving: Path | None,
        seed: int,
        progress: Progress,
    ) -> Candidate:
        """See seams.Trainer."""
        try:
            return self._make(snapshot, serving, seed, progress)
        except (ArtifactError, ModelFaultError) as error:
            raise TrainingError(error.text) from error
