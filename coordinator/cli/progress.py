"""A progress bar for whatever takes longer than a second, on standard error."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from coordinator.clock import Clock, SystemClock

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE_NS: Final = 1_000_000_000
"""What is done within this needs no bar, ns."""


class Bar:
    """Draws nothing in the first second, and nothing where nobody watches."""

    def __init__(self, title: str, clock: Clock | None = None) -> None:
        self._title = title
        self._clock = clock or SystemClock()
        self._shown: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Self:
        self._begun_ns = self._clock.monotonic_ns()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown is not None:
            self._shown[0].stop()

    def show(self, done: float, of: float, text: str = "") -> None:
        """Draw how far it is.

        Args:
            done: Steps, bytes or windows behind us.
            of: In all.
            text: What is happening now; the title when left out.
        """
        if self._shown is None:
            waited_ns = self._clock.monotonic_ns() - self._begun_ns
            if waited_ns < PATIENCE_NS or not sys.stderr.isatty():
                return
            self._shown = self._start()
        bar, task = self._shown
        bar.update(task, completed=done, total=of, description=text or self._title)

    def _start(self) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        bar.start()
        return bar, bar.add_task(self._title, total=None)
