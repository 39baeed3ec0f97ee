"""The end of a program whose terminal was closed.

A closed terminal signals the leader of its session only. Below `make`, or in a session
of its own, the program hears nothing: it would read the end of its keys for ever, and
count as somebody who can answer.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from threading import Event, Thread
from typing import Any, Final

from textual.app import App

HUNG_UP: Final = 129
"""Exit code: what a shell says of SIGHUP."""
PATIENCE_S: Final = 3.0
"""Time for the app to end by itself, s: it cannot tidy a terminal that is gone."""


def end_with_terminal(app: App[Any]) -> None:
    """End an app soon after the terminal at standard input is closed."""
    Thread(target=_watch, args=(app, sys.stdin.fileno()), daemon=True).start()


def _watch(app: App[Any], terminal: int) -> None:
    hangup = select.poll()
    hangup.register(terminal, 0)  # nothing but its end: POLLHUP cannot be left out
    hangup.poll()
    with suppress(RuntimeError):  # it is not running yet, or not any more
        app.call_from_thread(app.exit, None, HUNG_UP)
    Event().wait(PATIENCE_S)
    os._exit(HUNG_UP)
