"""How long each person has had a request before them, and whether that is enough.

Whoever answers sooner than anybody can look has not looked. Where the plant wants it,
such an answer is refused, with the time that is missing. Nothing that stops a robot
ever waits for it: no hold, no answer that stops or is urgent, no "cannot tell".
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from coordinator.clock import Clock
from coordinator.errors import LookFirstError
from coordinator.terms import Action, Label, PersonId, RequestId

REMEMBERED: Final = 10_000
"""Looks that are remembered; who looked before all of these has looked long enough."""


class Looks:
    """Since when people look. It lives on the event loop, and no method awaits."""

    def __init__(self, clock: Clock, least_ns: int = 0) -> None:
        """Begin with nobody who looks.

        Args:
            clock: Monotonic.
            least_ns: An answer sooner than that is refused, ns; 0 refuses none.
        """
        self._clock = clock
        self._least_ns = least_ns
        self._since: OrderedDict[tuple[RequestId, PersonId], int] = OrderedDict()
        # What was shown before a restart was shown before this at the latest.
        self._began_ns = clock.monotonic_ns()

    def begin(self, request_id: RequestId, person: PersonId) -> None:
        """Note that a person has a request before them; the first time counts."""
        key = (request_id, person)
        if not self._least_ns or key in self._since:
            return
        self._since[key] = self._clock.monotonic_ns()
        while len(self._since) > REMEMBERED:
            _, self._began_ns = self._since.popitem(last=False)

    def require(self, request_id: RequestId, person: PersonId, said: Label) -> None:
        """Let an answer through that comes after a look.

        Raises:
            LookFirstError: it comes sooner; says how much sooner.
        """
        if said.urgent or said.action is Action.STOP:
            return
        since_ns = self._since.get((request_id, person), self._began_ns)
        left_ns = since_ns + self._least_ns - self._clock.monotonic_ns()
        if left_ns > 0:
            raise LookFirstError(f"look for {left_ns / 1e9:.1f} s more, then answer.")
