"""What a PIN must be, and the slow hash that keeps it.

Argon2id with the parameters of RFC 9106 for little memory: 64 MiB and three passes, one
lane, so that a login takes one core for about a tenth of a second and no more.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from coordinator.errors import BadTextError

MOST_DIGITS: Final = 32
"""Longer than any PIN: what is longer is not hashed at all."""


def require_pin(pin: str, *, least: int) -> None:
    """Refuse a PIN that would be guessed.

    Args:
        pin: Digits.
        least: How many there must be.

    Raises:
        BadTextError: too short, no digits, all equal, or a run like 123456. The text
            does not say the PIN.
    """
    if not (pin.isascii() and pin.isdigit()):
        raise BadTextError("a PIN is digits only.", "BAD_PIN")
    if not least <= len(pin) <= MOST_DIGITS:
        raise BadTextError(f"a PIN has {least} to {MOST_DIGITS} digits.", "BAD_PIN")
    steps = {int(b) - int(a) for a, b in pairwise(pin)}
    if steps in ({0}, {1}, {-1}):
        raise BadTextError(
            "this PIN is among the first that anybody tries. Choose another.", "BAD_PIN"
        )


class PinHasher:
    """The slow hash. Both methods block: for a thread of their own.

    Args:
        passes: Over the memory.
        memory_kib: How much, in KiB.
    """

    def __init__(self, passes: int = 3, memory_kib: int = 65_536) -> None:
        self._hasher = PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID
        )

    def hashed(self, pin: str) -> str:
        """Return the text to keep of a PIN."""
        return self._hasher.hash(pin)

    def matches(self, kept: str, pin: str) -> bool:
        """Whether this is the PIN of a kept hash; takes as long, right or wrong."""
        try:
            return self._hasher.verify(kept, pin[:MOST_DIGITS])
        except (VerificationError, InvalidHashError):
            return False
