"""One line on a terminal that says how far it is; nothing where nobody watches."""

from __future__ import annotations

import sys
from typing import Final, TextIO

from ros_nodes.clock import SECOND_NS, Clock

EVERY_NS: Final = SECOND_NS // 2


class StatusLine:
    """Rewrites one line, at most twice a second.

    Args:
        clock: Says when the next look is due.
        to: A terminal; nothing is written to anything else.
    """

    def __init__(self, clock: Clock, to: TextIO | None = None) -> None:
        self._clock = clock
        self._to = to or sys.stderr
        self._due_ns = 0
        self._width = 0

    @property
    def due(self) -> bool:
        """Whether a new text would be shown: it costs time to make one."""
        return self._to.isatty() and self._clock.monotonic_ns() >= self._due_ns

    def show(self, text: str) -> None:
        """Show a text in place of the one before."""
        if not self._to.isatty():
            return
        self._due_ns = self._clock.monotonic_ns() + EVERY_NS
        self._to.write("\r" + text.ljust(self._width))
        self._to.flush()
        self._width = len(text)

    def end(self) -> None:
        """Take the line away."""
        if self._width:
            self._to.write("\r" + " " * self._width + "\r")
            self._to.flush()
            self._width = 0


def bar(share: float, width: int = 24) -> str:
    """A bar of this width, filled as far as it is."""
    filled = round(min(1.0, max(0.0, share)) * width)
    return "[" + "#" * filled + "." * (width - filled) + "]"
