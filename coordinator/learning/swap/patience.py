"""What the learning wants to know of the gate: when a better model had better wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from coordinator.terms import NO_DIGEST, Digest, GateLine, ModelRecord, ModelState


class GateNews(Protocol):
    """The gate of one family, as its learning sees it; never blocks."""

    def line(self) -> GateLine:
        """Return what is always shown of it."""

    def stays(self) -> str:
        """Return why the serving model goes on although a better one waits, or ""."""

    def moved(self) -> int:
        """Return how often it was shut because the world had moved."""


class NoGate:
    """There is no gate that proves itself: nothing waits."""

    def line(self) -> GateLine:
        """See GateNews."""
        return GateLine()

    def stays(self) -> str:
        """See GateNews."""
        return ""

    def moved(self) -> int:
        """See GateNews."""
        return 0


def waiting(known: Sequence[ModelRecord], serving: Digest) -> Digest:
    """Return the newest model that was found better than the serving one; "" for none.

    Args:
        known: All models of the family.
        serving: The one in the slot; "" for none.
    """
    better = [
        record
        for record in known
        if record.state is ModelState.VALIDATED and record.parent == serving
    ]
    if not better:
        return NO_DIGEST
    return max(better, key=lambda record: record.version).digest
