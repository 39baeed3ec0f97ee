"""Ids: one type each, so that a swapped argument is a type error."""

from __future__ import annotations

import re
import secrets
from typing import Final, NewType

CellId = NewType("CellId", str)
FamilyId = NewType("FamilyId", str)
WindowId = NewType("WindowId", str)
DecisionId = NewType("DecisionId", str)
PermitId = NewType("PermitId", str)
RequestId = NewType("RequestId", str)
ExampleId = NewType("ExampleId", str)
RunId = NewType("RunId", str)
ClipId = NewType("ClipId", str)
PersonId = NewType("PersonId", str)
SessionId = NewType("SessionId", str)
"""A person's session; the sessions of nodes are numbered by their epoch."""
Digest = NewType("Digest", str)
"""Lower-case hexadecimal SHA-256, 64 characters; "" means none."""

ID_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
NO_DIGEST: Final = Digest("")
NOBODY: Final = PersonId("")
NO_SESSION: Final = SessionId("")
NO_CLIP: Final = ClipId("")
NO_REQUEST: Final = RequestId("")


def is_id(text: str) -> bool:
    """Whether text may name something on the wire, in a file or in the store."""
    return ID_PATTERN.fullmatch(text) is not None


def new_id(prefix: str) -> str:
    """Return an id nobody used before: the prefix and 80 random bits."""
    return f"{prefix}-{secrets.token_hex(10)}"
