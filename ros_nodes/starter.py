"""A node ends with the program that started it, even when that one is killed.

A node that outlives its starter keeps its cell's session, and the one that a new
starter brings would be turned away: somebody would have to look for a process by night.
`ros2 launch` leaves its nodes behind when SIGTERM or SIGKILL ends it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Final

STARTER: Final = "ANDON_STARTER"
"""Environment variable: process id of the starter, for starters that cannot ask."""

NODE: Final = "ANDON_NODE"
"""Environment variable: what a node is called in the log that all nodes share."""

_PR_SET_PDEATHSIG: Final = 1


def ending_with(parent: int) -> Callable[[], None]:
    """Make a function for a child: from its call on, the child ends with its parent."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def prepare() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died in between
            os.kill(os.getpid(), signal.SIGTERM)

    return prepare


def end_with_starter(environment: Mapping[str, str]) -> None:
    """Let this process end with the starter that its environment names, if one does."""
    said = environment.get(STARTER, "")
    # A debugger between the two is the parent then, and this process ends with it.
    if said.isdecimal() and (os.getppid() == int(said) or not _lives(int(said))):
        ending_with(int(said))()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
