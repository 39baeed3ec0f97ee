"""Windows on whose label people had agreed, to be shown again as known cases."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.terms.events import WindowDecided


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A kept window whose label is settled, as it was judged.

    Attributes:
        decided: What the gate said of it: it was decided alone.
        label: What people agreed it is.
    """

    decided: WindowDecided
    label: str


@dataclass(frozen=True, slots=True)
class Asked:
    """How many requests there ever were.

    Attributes:
        ordinary: Those that ask for something.
        known: Known cases.
    """

    ordinary: int
    known: int
