"""Where the learning of a family stands, told to whoever watches, when it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from coordinator.learning.swap.patience import GateNews
from coordinator.model.slot import ModelSlot
from coordinator.terms import NO_DIGEST, FamilyId, LearningPhase, LearningStatus


class Telling:
    """Keeps the status and publishes each change. It lives on the event loop."""

    def __init__(
        self,
        family: FamilyId,
        *,
        slot: ModelSlot,
        gate: GateNews,
        publish: Callable[[LearningStatus], None],
    ) -> None:
        """Begin with nothing told.

        Args:
            family: Whose learning.
            slot: Where the serving model is.
            gate: What is said of it beside.
            publish: Called with every new status.
        """
        self._slot = slot
        self._gate = gate
        self._publish = publish
        self.status = LearningStatus(family)

    def say(
        self,
        phase: LearningPhase,
        text: str,
        *,
        progress: float = 0.0,
        seconds_left: float | None = None,
    ) -> None:
        """Tell what happens now.

        Args:
            phase: The step.
            text: One sentence.
            progress: Share of it that is done, in [0, 1].
            seconds_left: Of the training, s; None when nobody knows.
        """
        model = self._slot.model
        self._tell(
            replace(
                self.status,
                phase=phase,
                text=text,
                progress=progress,
                seconds_left=seconds_left,
                model_digest=NO_DIGEST if model is None else model.digest,
                model_version=0 if model is None else model.version,
                gate=self._gate.line(),
            )
        )

    def progress(
        self, phase: str, share: float, seconds_left: float | None, text: str
    ) -> None:
        """Pass on the progress of a training; see seams.Progress."""
        validating = phase == LearningPhase.VALIDATING.value
        self.say(
            LearningPhase.VALIDATING if validating else LearningPhase.TRAINING,
            text,
            progress=share,
            seconds_left=seconds_left,
        )

    def count(self, examples: int, until_training: int) -> None:
        """Tell how many examples there are, and how many are missing."""
        self._tell(
            replace(self.status, examples=examples, until_training=until_training)
        )

    def gate_changed(self) -> None:
        """Tell on what the gate rests."""
        self._tell(replace(self.status, gate=self._gate.line()))

    def _tell(self, status: LearningStatus) -> None:
        if status != self.status:
            self.status = status
            self._publish(status)
