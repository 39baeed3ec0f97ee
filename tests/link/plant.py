"""A real coordinator in a process, with a rule where a trained model would be.

The rule is loaded into the slot as any model is; inference, gate, store and service
are andon's own. It is sure of a window whose force is positive and in doubt otherwise.

    python -m tests.link.plant CONFIG
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

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


class Settable(SystemClock):
    """A wall clock that a test sets: SIGUSR1 reads how far it is ahead, s."""

    ahead = timedelta()

    def utc_now(self) -> datetime:
        return super().utc_now() + self.ahead

    def obey(self, path: Path) -> None:
        def read(_number: int, _frame: FrameType | None) -> None:
            self.ahead = timedelta(seconds=float(path.read_text()))

        signal.signal(signal.SIGUSR1, read)


def main(config: Path) -> int:
    settings = load(config)
    settings.coordinator.data_dir.mkdir(parents=True, exist_ok=True)
    log.configure(settings.coordinator.data_dir / "coordinator.log", level="INFO")

    def announce(address: str) -> None:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()

    app.Coordinator = Plant  # type: ignore[misc]  # what serve() builds
    clock = Settable()
    clock.obey(config.parent / "wall.coordinator")
    return asyncio.run(app.serve(settings, ready=announce, clock=clock))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
