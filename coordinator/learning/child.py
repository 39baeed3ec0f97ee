"""The child process that training/process.py starts: one training, then it ends.

    python -m coordinator.learning.child FOLDER

It reads its orders from the folder, speaks JSON lines on standard output, and dies with
its parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Final

from coordinator.clock import SECOND_NS, Clock, SystemClock
from coordinator.errors import AndonError
from coordinator.learning.bench import Bench, make_candidate
from coordinator.learning.training import handover
from coordinator.learning.training.fit import Plan, use_threads
from coordinator.learning.validation.promote import Bar

TELL_EVERY_NS: Final = SECOND_NS // 5
"""Least time between two lines about progress."""
_PR_SET_PDEATHSIG: Final = 1


def main(folder: Path) -> int:
    """Carry out the orders in a folder; return the exit status."""
    clock = SystemClock()
    try:
        snapshot, orders = handover.read_orders(folder)
        if not _die_with(orders.parent_pid):
            return 1
        os.nice(10)
        use_threads(orders.threads)
        bench = Bench(
            Plan(orders.network, orders.seed, orders.commit),
            Bar(orders.threshold),
            folder / handover.MODELS,
            clock,
        )
        candidate = make_candidate(
            bench, snapshot, serving=orders.serving, progress=_Teller(clock)
        )
    except AndonError as error:
        _say(handover.failure_line(error.text))
        return 1
    _say(handover.candidate_line(candidate))
    return 0


class _Teller:
    """Says progress on standard output, not too often."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._phase = ""
        self._told_ns = 0

    def __call__(
        self, phase: str, share: float, left_s: float | None, text: str
    ) -> None:
        """See seams.Progress."""
        now_ns = self._clock.monotonic_ns()
        if phase == self._phase and now_ns < self._told_ns + TELL_EVERY_NS:
            return
        self._phase, self._told_ns = phase, now_ns
        _say(handover.progress_line(phase, share, left_s, text))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _die_with(parent_pid: int) -> bool:
    """Ask the kernel to end this process with its parent; False if it is gone."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have died before the line above.
    return os.getppid() == parent_pid


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
