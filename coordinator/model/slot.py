"""The model being served; replace() and restore() are the only ways to change it."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.seams import Predictor


@dataclass(frozen=True, slots=True)
class Served:
    """What a slot holds: the serving model and the one before it.

    Attributes:
        model: Answers the next window; None asks people everything.
        previous: Ready to serve again; None when there is nothing to go back to.
    """

    model: Predictor | None = None
    previous: Predictor | None = None


class ModelSlot:
    """Holds the serving model of one family, and the one before it.

    Reading and replacing are one attribute access each, atomic in Python: a window is
    answered entirely by the old model or entirely by the new one. Only the learning
    path writes.
    """

    def __init__(self) -> None:
        self._served = Served()

    @property
    def served(self) -> Served:
        """Both models, of one moment."""
        return self._served

    @property
    def model(self) -> Predictor | None:
        """The serving model, or None when everything is asked."""
        return self._served.model

    def replace(self, model: Predictor) -> Predictor | None:
        """Serve model from the next window on; returns the one it replaces."""
        retired = self._served.model
        self._served = Served(model, retired)
        return retired

    def restore(self, model: Predictor | None) -> None:
        """Serve an older model, or none, from the next window on; nothing is kept."""
        self._served = Served(model, None)
