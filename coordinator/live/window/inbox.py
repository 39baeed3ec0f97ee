"""What waits for one cell's loop: a control lane, one decision slot, one monitor slot.

The control lane is never dropped and always first. A slot keeps the latest window; the
one it pushes out is counted, because every window must be accounted for.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import Generic, TypeVar

from coordinator.terms import SensorWindow, WindowKind

ControlT = TypeVar("ControlT")


class Inbox(Generic[ControlT]):
    """The one queue of a cell. Not thread-safe: it lives on the event loop."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._control: deque[ControlT] = deque()
        self._slots: dict[WindowKind, SensorWindow] = {}
        self._waiting = asyncio.Event()

    def post(self, message: ControlT, *, once: bool = False) -> None:
        """Add to the control lane.

        Args:
            message: What to say to the loop.
            once: Not when the same waits there already: a slow disk lets nothing pile
                up that is said again anyway.
        """
        if once and message in self._control:
            return
        self._control.append(message)
        self._waiting.set()

    def offer(self, window: SensorWindow) -> SensorWindow | None:
        """Put a window into its slot; return the older one it pushed out, if any."""
        pushed_out = self._slots.get(window.kind)
        if pushed_out is not None:
            self.dropped[f"overtaken_{window.kind.value}"] += 1
        self._slots[window.kind] = window
        self._waiting.set()
        return pushed_out

    async def next(self) -> ControlT | SensorWindow:
        """Return what is most urgent, waiting if there is nothing."""
        while True:
            if self._control:
                return self._control.popleft()
            for kind in (WindowKind.DECISION, WindowKind.MONITOR):
                if kind in self._slots:
                    return self._slots.pop(kind)
            self._waiting.clear()
            await self._waiting.wait()

    def __len__(self) -> int:
        return len(self._control) + len(self._slots)
