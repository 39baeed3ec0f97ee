"""Which questions are asked blind: by the hash of their id, so that nobody chooses.

Who is shown the model's guess tends to agree with it. In a share of the questions it is
hidden until the person has said something; what they said before and after stands in
the journal, and their difference measures how much the guess leads.
"""

from __future__ import annotations

import hashlib
from typing import Final

from coordinator.terms import OperatorRequest

_ALL: Final = 1 << 64


def is_blind(request: OperatorRequest, share: float) -> bool:
    """Whether a question with a guess is asked without it first.

    Args:
        request: The question.
        share: Of the questions, in [0, 1].
    """
    if not request.guess or not request.is_open:
        return False
    drawn = hashlib.sha256(f"blind/1\n{request.request_id}".encode()).digest()[:8]
    return int.from_bytes(drawn) < share * _ALL
