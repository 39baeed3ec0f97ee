"""One line per event, as JSON, to a file or to stderr: never into the picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

import structlog


def to_file(path: Path) -> None:
    """Append every event to the file; its folder is made when it is missing.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _configure(path.open("a", encoding="utf-8", buffering=1))


def to_stderr() -> None:
    """Say every event on stderr: for programs without a picture."""
    _configure(sys.stderr)


def _configure(where: TextIO) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(where),
    )
