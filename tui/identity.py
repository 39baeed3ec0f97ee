"""Who sits at this terminal: until accounts exist, the user of the operating system."""

from __future__ import annotations

import getpass
import os
import re
import socket
import uuid
from pathlib import Path
from typing import Final

from tui.terms import Actor

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def actor(person: str | None, program: str) -> Actor:
    """The person, or else the user, at this program on this computer.

    Raises:
        ValueError: The person is not an id.
    """
    if person is not None and not _ID.fullmatch(person):
        raise ValueError(
            f"a person is named by 1 to 63 of a-z, 0-9, '.', '_' and '-', "
            f"beginning with a letter or digit, not by {person!r}"
        )
    return Actor(person or _id(_user()), _id(f"{program}-{socket.gethostname()}"))


def own_token() -> str:
    """The token of `andon user login`, by ANDON_TOKEN or the file ANDON_TOKEN_FILE.

    Raises:
        OSError: The file cannot be read.
    """
    token = os.environ.get("ANDON_TOKEN", "").strip()
    file = os.environ.get("ANDON_TOKEN_FILE", "").strip()
    return token if token or not file else Path(file).read_text("ascii").strip()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "unknown"


def _id(name: str) -> str:
    """The name in the letters of an id."""
    allowed = re.sub(r"[^a-z0-9._-]+", "-", name.lower())
    return allowed.lstrip("._-")[:63] or "unknown"


def new_key() -> str:
    """An idempotency key: unique a try."""
    return uuid.uuid4().hex
