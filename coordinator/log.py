"""One line per event, fields not prose: structlog, rendered as JSON lines.

Levels: ERROR = a person must look; WARNING = degraded and recovered; INFO = state
changes; DEBUG = everything else.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TextIO, cast

import structlog

Logger = structlog.stdlib.BoundLogger


class BestEffort:
    """Writes lines where that works; what cannot be written is counted and forgotten.

    The record of what andon decided is the journal. A full disk or a closed terminal
    must cost a log line, never a decision.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost = 0

    def msg(self, message: str) -> None:
        """Write one line."""
        try:
            self._stream.write(message + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            self.lost += 1

    log = debug = info = warning = error = critical = exception = fatal = failure = msg


def get(room: str) -> Logger:
    """Return the logger of one room, for example "live"."""
    return cast(Logger, structlog.get_logger(room=room))


def configure(path: Path | None = None, *, level: str = "INFO") -> None:
    """Send JSON lines to a file, or to standard error when path is None.

    Args:
        path: Log file; appended to.
        level: Least level to write.
    """
    stream = sys.stderr if path is None else path.open("a", buffering=1)
    writer = BestEffort(stream)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # without local variables: they may hold what nobody should read here
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level]
        ),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=False,  # a few lines a window; tests configure anew
    )
