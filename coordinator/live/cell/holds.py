"""Why a cell is held, and who may clear it.

Reasons latch: link recovery, reconnects and restarts never clear one. A policy may
clear only the reasons named here for it; a person may clear the rest. Roles (operator,
supervisor) are checked against accounts once these exist; until then a person on
loopback is recorded as unverified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from coordinator.errors import ReleaseRefusedError
from coordinator.terms import Actor, HoldReason, PersonId

AUTOSTART: Final = Actor(PersonId("policy:autostart"), device="coordinator")
"""The policy that starts a cell which connects, when the configuration names it."""

POLICY_MAY_CLEAR: Final[Mapping[PersonId, frozenset[HoldReason]]] = MappingProxyType(
    {AUTOSTART.person: frozenset({HoldReason.STALE_DATA, HoldReason.LINK_LOST})}
)


class Holds:
    """The active hold reasons of one cell, each with its sentence."""

    def __init__(self, reasons: Iterable[HoldReason] = ()) -> None:
        self._texts: dict[HoldReason, str] = dict.fromkeys(
            reasons, "held since before the last start."
        )
        self._numbers: dict[HoldReason, int] = dict.fromkeys(self._texts, 0)
        self.latched = 0
        """How often anything was latched; a mark for since()."""

    @property
    def reasons(self) -> frozenset[HoldReason]:
        """The active reasons."""
        return frozenset(self._texts)

    @property
    def worst(self) -> HoldReason | None:
        """The most severe active reason."""
        return max(self._texts, default=None)

    @property
    def text(self) -> str:
        """The sentence of the most severe reason; "" when there is none."""
        return "" if self.worst is None else self._texts[self.worst]

    def latch(self, reason: HoldReason, text: str) -> None:
        """Add a reason; a repeated one takes the newer sentence."""
        self.latched += 1
        self._texts[reason] = text
        self._numbers[reason] = self.latched

    def since(self, mark: int) -> dict[HoldReason, str]:
        """Return what was latched, for the first time or again, after a mark."""
        return {r: t for r, t in self._texts.items() if self._numbers[r] > mark}

    def clear(self) -> None:
        """Forget all reasons; only after clearance() let an actor through."""
        self._texts.clear()
        self._numbers.clear()

    def clearance(self, actor: Actor, seen: HoldReason | None) -> None:
        """Let an actor through who may clear every active reason.

        Args:
            actor: Named person or policy.
            seen: The worst reason the actor saw; None if it saw none.

        Raises:
            ReleaseRefusedError: a policy may not clear one of them, or a worse reason
                came up since the actor looked.
        """
        if actor.person.startswith("policy:"):
            beyond = self.reasons - POLICY_MAY_CLEAR.get(actor.person, frozenset())
            if beyond:
                raise ReleaseRefusedError(
                    f"{actor.person} may not clear {max(beyond).name}: a person must."
                )
        elif self.worst is not None and (seen is None or self.worst > seen):
            raise ReleaseRefusedError(
                f"by now the cell is held for {self.worst.name}: {self.text} Look."
            )
