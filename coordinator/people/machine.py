"""The machine's key: who can read the coordinator's files is known by it.

Somebody has to make the first account, and to help when the last administrator forgot a
PIN. Whoever owns the files could do both with the coordinator stopped; this key, made
anew at each start and readable by their owner alone, lets them do it while it runs.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

KEY: Final = "machine.key"


def make_key(data_dir: Path) -> str:
    """Write a new key into the data folder, and return it.

    Raises:
        OSError: the folder cannot be written.
    """
    key, path = secrets.token_hex(32), data_dir / KEY
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
    return key


def read_key(data_dir: Path) -> str:
    """Return the key of the coordinator that runs here; "" when it cannot be read."""
    try:
        return (data_dir / KEY).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def remove_key(data_dir: Path) -> None:
    """Take the key away: nobody listens any more."""
    (data_dir / KEY).unlink(missing_ok=True)
