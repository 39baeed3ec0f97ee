"""A real coordinator in a process, with a rule where a trained model would be.

The rule is loaded into the slot as any model is; inference, gate, store and service
are andon's own. It is sure of a window whose force is positive and in doubt otherwise.

    python -m tests.link.plant CONFIG
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from coordinator import app, log
from coordinator.clock import Clock, SystemClock
from coordinator.config import Settings, load
from coordinator.model.slot import ModelSlot
from coordinator.seams import Predictor
from coordinator.terms import Digest, Prediction, SensorWindow

LABELS = ("misaligned", "ok")
FORCE = 2
"""Column of the force in a window."""


class Rule:
    """A Predictor that needs no training."""

    digest = Digest("5e" * 32)
    version = 1

    def predict(self, windows: Sequence[SensorWindow]) -> list[Prediction]:
        return [self._of(window) for window in windows]

    def _of(self, window: SensorWindow) -> Prediction:
        sure = bool(window.samples[:, FORCE].mean() > 0.0)
        ok = 0.99 if sure else 0.55
        return Prediction(self.digest, LABELS, (0.0, 1.0), (1.0 - ok, ok), 0.5)


class Ruled(ModelSlot):
    """A slot in which the rule serves, whatever was trained."""

    @property
    def model(self) -> Predictor | None:
        return Rule()


class Plant(app.Coordinator):
    """The coordinator, serving the rule."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        super().__init__(settings, clock)
        for family in self._slots:
            self._slots[family] = Ruled()


def main(config: Path) -> int:
    settings = load(config)
    settings.coordinator.data_dir.mkdir(parents=True, exist_ok=True)
    log.configure(settings.coordinator.data_dir / "coordinator.log", level="INFO")

    def announce(address: str) -> None:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()

    app.Coordinator = Plant  # type: ignore[misc]  # what serve() builds
    return asyncio.run(app.serve(settings, ready=announce, clock=SystemClock()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
